/** @file JSON whose structure stays: values replaced, keys removed, doubled or renamed; every third time the text itself is damaged. */

import { choose, type Form, type Mutation, place } from '../mutation.ts';
import { bytes } from './bytes.ts';

/** Values that programs do not expect, as JSON text: some are not JSON. */
export const ODD_VALUES: readonly string[] = [
  ...['null', 'true', 'false', '0', '-1', '1', '2', '3', '7', '0.5', '-0.0', '1e-300', '1e308', '1e999', '2147483648', '4294967296'],
  ...['9007199254740993', '1000000', '""', '" "', '"x"', '"NaN"', '"../../../../etc/passwd"', '"/dev/zero"', '"a\\u0000b"', '"\\ud800"'],
  ...['"__proto__"', '"constructor"', '[]', '{}', '[null]', '[[]]', '{"a":1}', '[1,2,3]', '[-1]', '["x"]', 'NaN', 'Infinity', '-Infinity'],
  ...[JSON.stringify('x'.repeat(70_000)), JSON.stringify('é🙂'.repeat(50)), '['.repeat(3000) + ']'.repeat(3000), '1,', "'x'"],
  ...['{"__proto__":{"x":1}}', '"(a+)+$"', '"{{ 1/0 }}"', '"<|endoftext|>"', `[${'0,'.repeat(9999)}0]`],
];

interface Slot {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

function slots(value: unknown, out: Slot[]): Slot[] {
  if (out.length > 5000 || value === null || typeof value !== 'object') return out;
  for (const key of Object.keys(value)) {
    const parent = value as Record<string, unknown>;
    out.push({ parent, key });
    slots(parent[key], out);
  }
  return out;
}

/** A mark that no file holds: JSON text is put in its place, so that what is no JSON can stand there, too. */
const MARK = '@@odd-value@@';

function changed(root: unknown, mutation: Mutation): string {
  const all = slots(root, []);
  if (all.length === 0) return choose(mutation, ODD_VALUES);
  const { parent, key } = all[place(mutation, all.length)];
  const holder = parent as Record<string, unknown>;
  let text = choose(mutation, ODD_VALUES);
  switch (Math.floor(mutation.kind / 3) % 6) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete holder[key];
      return JSON.stringify(root);
    case 1: {
      const other = all[(mutation.size * 7919) % all.length];
      const [a, b] = [structuredClone(holder[key]), structuredClone((other.parent as Record<string, unknown>)[other.key])];
      holder[key] = b;
      (other.parent as Record<string, unknown>)[other.key] = a;
      return JSON.stringify(root);
    }
    case 2: {
      const old = holder[key];
      if (typeof old === 'number') text = String([old + 1, old - 1, -old, old * 2, old / 2, old + 0.5][mutation.size % 6]);
      else if (typeof old === 'string') text = JSON.stringify([old + old, old.slice(1), old.toUpperCase(), `${old} `][mutation.size % 4]);
      break;
    }
    case 3:
      if (!Array.isArray(parent)) {
        holder[`${key}x`] = holder[key];
        delete holder[key];
        return JSON.stringify(root);
      }
      parent.push(structuredClone(parent[Number(key)]));
      return JSON.stringify(root);
  }
  holder[key] = MARK;
  // A function: `$&` in a text is a text.
  return JSON.stringify(root).replace(JSON.stringify(MARK), () => text);
}

/** One JSON value per file. */
export const json: Form = {
  apply(content, mutation, others) {
    if (mutation.kind % 3 === 2) return bytes.apply(content, { ...mutation, kind: Math.floor(mutation.kind / 3) }, others);
    try {
      return Buffer.from(changed(JSON.parse(content.toString('utf8')), mutation));
    } catch {
      return bytes.apply(content, mutation, others);
    }
  },
};

/** One JSON value per line. */
export const jsonLines: Form = {
  apply(content, mutation, others) {
    const lines = content.toString('utf8').split('\n');
    const chosen = mutation.size % lines.length;
    const kind = mutation.kind % 8;
    if (kind === 0) lines.splice(chosen, 1);
    else if (kind === 1) lines.splice(chosen, 0, lines[place(mutation, lines.length)]);
    else if (kind === 2) lines.splice(chosen, 0, choose(mutation, ['', '{', '[]', '\u0000', 'null', '1', '\ufeff']));
    else lines[chosen] = json.apply(Buffer.from(lines[chosen]), { ...mutation, kind: mutation.kind >> 3 }, others).toString('utf8');
    return Buffer.from(lines.join('\n'));
  },
};
