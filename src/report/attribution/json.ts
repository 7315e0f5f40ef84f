/** @file A result as JSON and back, and its arrays as tensors for a safetensors file. Float32 values survive both ways bit for bit. */

import { z } from 'zod';
import type { Attribution } from '../../attribution/result.ts';
import { TARGET_KINDS } from '../../attribution/target.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { isTooDeep, tooDeep } from '../../system/json-depth.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';

const number = z.number().finite();
const numbers = z.array(number);
const floatArray = numbers
  .transform(values => Float32Array.from(values))
  .refine(values => values.every(Number.isFinite), 'a value is too large for float32');
const size = z.number().int().nonnegative();

const convergence = z.object({
  verdict: z.enum(['converged', 'unsettled', 'not-converged', 'no-optimisation']),
  note: z.string(),
  fit: numbers,
  compression: numbers,
});
const stability = z.object({ seeds: numbers, standardDeviation: floatArray, rankStability: number });
const common = {
  totalBits: number.optional(),
  convergence,
  stability: stability.optional(),
  target: z.string().optional(),
  score: number.optional(),
  standardError: floatArray.optional(),
  convergenceDelta: number.optional(),
};
const image = z
  .object({
    tokens: floatArray,
    prefixTokens: size,
    grid: z.tuple([size.positive(), size.positive()]),
    patches: floatArray,
    view: z.object({ left: number, top: number, width: number.positive(), height: number.positive() }),
    pixels: z.object({ height: size.positive(), width: size.positive(), values: floatArray }).optional(),
    ...common,
  })
  .refine(part => part.patches.length === part.grid[0] * part.grid[1], 'patches do not fill the grid')
  .refine(part => part.tokens.length === part.prefixTokens + part.patches.length, 'tokens are not the prefix and the patches');
const unknown = z.literal(true).optional();
const token = z.object({ id: size, text: z.string(), special: z.boolean(), start: size, end: size, value: number, unknown });
const word = z.object({ text: z.string(), start: size, end: size, value: number, tokens: z.array(size), unknown });
const text = z
  .object({ tokens: z.array(token), words: z.array(word), ...common })
  .refine(part => part.words.every(each => each.tokens.every(i => i < part.tokens.length)), 'a word points at a token that is not there');
const dicom = z.object({
  sop: z.string().optional(),
  modality: z.string().optional(),
  photometric: z.string(),
  packing: z.string(),
  frame: size.positive().optional(),
  view: z.object({ kind: z.enum(['table', 'window']), number: size, of: size, label: z.string().optional() }).optional(),
  aspect: number.optional(),
  tags: z.record(z.string(), z.string()).optional(),
});
const reading = z.object({
  format: z.string(),
  bits: size,
  window: z.object({ rule: z.enum(['auto', 'pillow', 'given', 'file']), low: number, high: number }).optional(),
  clipped: number.optional(),
  orientation: z.object({ tag: size, applied: z.boolean() }).optional(),
  pages: size.optional(),
  approximate: z.literal(true).optional(),
  dicom: dicom.optional(),
});
const answerToken = z.object({ text: z.string(), start: size, end: size, logProbability: number });
const answer = z.object({
  text: z.string(),
  own: z.boolean(),
  reduction: z.enum(['sum', 'mean']),
  tokens: z.array(answerToken),
  against: z.object({ text: z.string(), logProbability: number }).optional(),
  parts: z.array(answerToken.extend({ tokens: z.array(size), patches: floatArray.optional(), words: floatArray.optional() })),
  kept: z.object({ layer: number, patches: floatArray.optional(), words: floatArray.optional() }).optional(),
});
const fileSchema = z.object({
  schemaVersion: z.literal(1),
  method: z.string(),
  title: z.string().optional(),
  unit: z.enum(['nats', 'score']),
  caption: z.string(),
  cosine: number.optional(),
  image: image.optional(),
  text: text.optional(),
  interactions: z
    .object({ values: floatArray, patches: size, tokens: z.array(size), standardError: floatArray.optional(), fit: number.optional() })
    .refine(part => part.values.length === part.patches * part.tokens.length, 'interactions are not patches by tokens')
    .optional(),
  answer: answer.optional(),
  target: z.string().optional(),
  targetKind: z.enum(TARGET_KINDS).optional(),
  passes: z.object({ forward: number, backward: number }).optional(),
  parameters: z.record(z.string(), z.unknown()),
  provenance: z.object({
    narrows: z.string(),
    runtime: z.string(),
    model: z.object({ name: z.string(), sha256: z.string() }),
    image: z.object({ name: z.string(), sha256: z.string(), width: size, height: size, reading: reading.optional() }),
    createdAt: z.string(),
  }),
  warnings: z.array(z.string()).optional(),
  timings: z.record(z.string(), number),
});

/** Path of the first number in `value` that JSON cannot hold, or undefined. */
function notFinite(value: unknown, path: string): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path;
  if (value instanceof Float32Array || Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = notFinite(value[i], `${path}[${i}]`);
      if (found) return found;
    }
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      const found = notFinite(inner, path ? `${path}.${key}` : key);
      if (found) return found;
    }
  }
  return undefined;
}

/**
 * JSON text of a result, indented, every array of numbers on one line. Values are raw (nats or scores).
 * @throws NarrowsError when a number is NaN or infinite, with the place where it stands.
 * @example
 * await using model = await loadModel('scene-clip');
 * await using method = createMethod('saliency', model);
 * const result = await method.attribute({ image: await decodeImage('examples/scene.png'), text: 'a cat' });
 * const again = attributionFromJson(attributionToJson(result));
 * console.log(again.method, again.image?.grid);
 */
export function attributionToJson(result: Attribution): string {
  const bad = notFinite(result, '');
  if (bad) throw new NarrowsError(`The result's ${bad} is not a finite number; it cannot be written as JSON.`);
  return write(result, '');
}

/** The shortest decimal that reads back as the same float32; -0 keeps its sign. */
function float32Text(value: number): string {
  if (Object.is(value, -0)) return '-0';
  for (let precision = 6; precision < 9; precision++) {
    const short = Number(value.toPrecision(precision));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** JSON of a value, two spaces a level; a list of numbers stays on one line, else a 24×24 map would be 576 lines long. */
function write(value: unknown, indent: string): string {
  if (value instanceof Float32Array) return `[${Array.from(value, float32Text).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : (JSON.stringify(value) ?? 'null');
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  if (list && value.every(item => typeof item === 'number')) return `[${value.map(item => write(item, '')).join(', ')}]`;
  const items = list
    ? value.map(item => write(item, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${JSON.stringify(key)}: ${write(item, inner)}`);
  const [open, close] = list ? '[]' : '{}';
  return items.length === 0 ? open + close : `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

/**
 * Reads what `attributionToJson` wrote (a text, or the parsed value).
 * @param name what to call the source in an error: a file name.
 * @throws NarrowsError that names the first field that is wrong.
 */
export function attributionFromJson(source: string | unknown, name = 'the result'): Attribution {
  let value = source;
  if (typeof source === 'string') {
    if (isTooDeep(source)) throw new NarrowsError(tooDeep(name));
    try {
      value = JSON.parse(source);
    } catch (error) {
      throw new NarrowsError(`Cannot read ${name}: it is not JSON (${messageOf(error)}).`, { cause: error });
    }
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > 1) {
    throw new NarrowsError(
      `Cannot read ${name}: it was written by a newer Narrows (schemaVersion ${version}; this one knows 1). Update Narrows.`,
    );
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue.path.length > 0 ? issue.path.join('.') : 'the whole';
  throw new NarrowsError(`Cannot read ${name} as an attribution: ${field}: ${issue.message}.`);
}

/**
 * The arrays of a result, for a safetensors file. Float32: `image.tokens` [tokens], `image.patches` [rows, columns], `image.fit` and
 * `image.compression` [steps], `text.tokens` [tokens], `text.words` [words], `text.fit`, `text.compression`, and `*.standard_deviation`;
 * of an answer's words `answer.patches` [words, rows, columns] and `answer.words` [words, the question's words];
 * int32: `text.token_ids`, `text.token_offsets` [tokens, 2], `text.word_offsets` [words, 2]. Values raw.
 */
export function attributionTensors(result: Attribution): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const side of ['image', 'text'] as const) {
    const part = result[side];
    if (!part) continue;
    const { fit, compression } = part.convergence;
    if (fit.length > 0) tensors.set(`${side}.fit`, floats([fit.length], fit));
    if (compression.length > 0) tensors.set(`${side}.compression`, floats([compression.length], compression));
    const spread = part.stability?.standardDeviation;
    if (spread) tensors.set(`${side}.standard_deviation`, floats([spread.length], spread));
  }
  if (result.image) {
    const { tokens, patches, grid } = result.image;
    tensors.set('image.tokens', floats([tokens.length], tokens));
    tensors.set('image.patches', floats([grid[0], grid[1]], patches));
  }
  if (result.text) {
    const { tokens, words } = result.text;
    const offsets = (list: readonly { start: number; end: number }[]) =>
      ints(
        [list.length, 2],
        list.flatMap(item => [item.start, item.end]),
      );
    tensors.set(
      'text.tokens',
      floats(
        [tokens.length],
        tokens.map(token => token.value),
      ),
    );
    tensors.set(
      'text.words',
      floats(
        [words.length],
        words.map(word => word.value),
      ),
    );
    tensors.set(
      'text.token_ids',
      ints(
        [tokens.length],
        tokens.map(token => token.id),
      ),
    );
    tensors.set('text.token_offsets', offsets(tokens));
    tensors.set('text.word_offsets', offsets(words));
  }
  const parts = result.answer?.parts ?? [];
  const stacked = (name: string, values: readonly (Float32Array | undefined)[], shape: readonly number[]): void => {
    if (values.length > 0 && values.every(part => part !== undefined))
      tensors.set(name, floats([values.length, ...shape], Float32Array.from(values.flatMap(part => Array.from(part)))));
  };
  stacked(
    'answer.patches',
    parts.map(part => part.patches),
    result.image?.grid ?? [],
  );
  stacked(
    'answer.words',
    parts.map(part => part.words),
    [result.text?.words.length ?? 0],
  );
  return tensors;
}
