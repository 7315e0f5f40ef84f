/** @file Whether two output folders are the same to the last bit, but for what a clock says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What may differ, and why. */
export const MAY_DIFFER: readonly {
  readonly files: RegExp;
  /** These keys of its JSON. Without: the whole file. */
  readonly keys?: readonly string[];
  /** Lines that count for nothing. */
  readonly without?: RegExp;
  /** The order of its lines. */
  readonly sorted?: boolean;
  readonly why: string;
}[] = [
  { files: /(^|\/)\.hf\//, why: 'the cache of the hub, which lies here for want of another place' },
  { files: /tfevents/, why: "TensorBoard's files: every event bears the time at which it was written" },
  { files: /(^|\/)(\.?pace[^/]*|times)\.json$/, why: 'how long cells took on this machine' },
  { files: /(^|\/)judge\.json$/, keys: ['cost'], why: 'requests of the last sitting: the rest came from the cache' },
  { files: /(^|\/)(replies|review[^/]*)\.jsonl$/, keys: ['sum'], sorted: true, why: 'replies stand in the order in which they came' },
  { files: /-cost-[^/]*\.svg$/, why: 'figures of seconds' },
  { files: /\.(html|md|csv|tex)$/, why: 'pages hold times; what they show is compared in the JSON that they are made from' },
  {
    files: /metrics\.jsonl$/,
    keys: ['tokens_per_second', 'samples_per_second', 'pairs_per_second', 'seconds'],
    why: 'speeds, by the clock',
  },
  {
    files: /(cells|answers|maps)[^/]*\.jsonl$/,
    keys: ['seconds', 'cold', 'sizes', 'sum', 'createdAt', 'timings'],
    without: /^\{"pace":/,
    sorted: true,
    why: 'how long cells took in a sitting and whether graphs were built in that time (a first run of two seconds is not timed again), sizes of files that hold times, sums over both; cells stand in the order in which they ended',
  },
  {
    files: /\.json$/,
    keys: ['created', 'createdAt', 'timings', 'seconds', 'range', 'measurements', 'duration'],
    why: 'when and how long, from how many times that count',
  },
];

function without(value: unknown, keys: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map(one => without(one, keys));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, keys.has(key) ? 0 : without(one, keys)]));
}

/** A file with what may differ taken out. */
function settled(name: string, content: Buffer): Buffer | undefined {
  const rules = MAY_DIFFER.filter(({ files }) => files.test(name));
  if (rules.some(({ keys }) => !keys)) return undefined;
  if (rules.length === 0) return content;
  const keys = new Set(rules.flatMap(rule => rule.keys ?? []));
  const clean = (text: string): string => JSON.stringify(without(JSON.parse(text), keys));
  const text = content.toString('utf8');
  if (!name.endsWith('.jsonl')) return Buffer.from(clean(text));
  const counts = (line: string): boolean => line !== '' && !rules.some(({ without: none }) => none?.test(line));
  const lines = text.split('\n').filter(counts).map(clean);
  return Buffer.from((rules.some(({ sorted }) => sorted) ? lines.sort() : lines).join('\n'));
}

const listed = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

/** What stands around the first byte that differs, in both. */
function firstDifference(a: Buffer, b: Buffer): string {
  let at = 0;
  while (a[at] === b[at]) at++;
  return [a, b].map(bytes => JSON.stringify(bytes.subarray(Math.max(0, at - 60), at + 60).toString('latin1'))).join(' and ');
}

/** Differences of two folders, a line each. */
export function differences(whole: string, other: string): string[] {
  const names = (folder: string): string[] =>
    listed(folder).filter(name => !MAY_DIFFER.some(({ files, keys }) => !keys && files.test(name)));
  const [left, right] = [names(whole), names(other)];
  const out = [
    ...left.filter(name => !right.includes(name)).map(name => `${name} is missing`),
    ...right.filter(name => !left.includes(name)).map(name => `${name} is there in addition`),
  ];
  for (const name of left.filter(one => right.includes(one))) {
    const [a, b] = [whole, other].map(folder => settled(name, readFileSync(join(folder, name))));
    if (a && b && !a.equals(b)) out.push(`${name} differs: ${firstDifference(a, b)}`);
  }
  return out;
}
