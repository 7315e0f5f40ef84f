/**
 * @file The header of a safetensors file (https://github.com/huggingface/safetensors): 8 bytes of length, JSON, then the data without gaps.
 * Everything a header claims is checked against the file's size before anything is allocated.
 */

import { latin1 } from '../system/bytes.ts';
import { NarrowsError } from '../system/errors.ts';
import { isTooDeep, tooDeep } from '../system/json-depth.ts';
import type { DType } from '../tensor/dtype.ts';

/** Longest header accepted, as in the Rust library. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Bits per element of every type the format knows; most of the narrow ones cannot be read here, but their files can be opened. */
const BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  ...{ F4: 4, F6_E2M3: 6, F6_E3M2: 6, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8 },
  ...{ U8: 8, I8: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64 },
};

/** The types that can be read, by the format's names. */
export const READABLE: Readonly<Record<string, DType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
  I64: 'int64',
  I32: 'int32',
  U8: 'uint8',
  BOOL: 'bool',
};

/** One tensor as the header describes it; `begin` and `end` are relative to the start of the data. */
export interface HeaderEntry {
  readonly name: string;
  readonly stored: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What a header says. */
export interface Header {
  readonly metadata: Record<string, string>;
  readonly entries: readonly HeaderEntry[];
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Length of the JSON part, from the file's first bytes (eight, fewer when the file is shorter).
 * @throws NarrowsError when the file is too short for its header, or the header too long.
 */
export function headerLength(path: string, start: Uint8Array, fileBytes: number): number {
  if (latin1(start) === 'version ') {
    throw new NarrowsError(`${path} is a Git LFS pointer, not the weights; fetch them with: git lfs pull.`);
  }
  if (start.length < 8)
    throw new NarrowsError(`${path} is truncated: ${fileBytes} bytes are too few for a safetensors file; copy it again.`);
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new NarrowsError(
      `${path} is not a safetensors file: its header would be ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed.`,
    );
  }
  if (length > BigInt(fileBytes - 8)) {
    throw new NarrowsError(`${path} is truncated: its header should take ${length} bytes, but the file has ${fileBytes}; copy it again.`);
  }
  return Number(length);
}

/**
 * Reads and checks the JSON part of a header.
 * @param dataBytes bytes of the file after the header; the tensors must fill them exactly.
 * @throws NarrowsError that names the file and the tensor.
 */
export function parseHeader(path: string, bytes: Uint8Array, dataBytes: number): Header {
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (cause) {
    throw new NarrowsError(`${path} is not a safetensors file: its header is not JSON; copy it again.`, { cause });
  }
  if (isTooDeep(text)) throw new NarrowsError(tooDeep(`The header of ${path}`));
  if (!isRecord(json)) throw new NarrowsError(`${path} is not a safetensors file: its header is not a JSON object.`);
  const entries: HeaderEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') metadata = checkMetadata(path, value);
    else entries.push(checkEntry(path, name, value, dataBytes));
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw new NarrowsError(`${path}: the header lists tensor "${twice}" twice; write the file again.`);
  checkLayout(path, entries, dataBytes);
  return { metadata, entries };
}

function checkMetadata(path: string, value: unknown): Record<string, string> {
  if (!isRecord(value) || Object.values(value).some(v => typeof v !== 'string')) {
    throw new NarrowsError(`${path}: the header's __metadata__ must map names to texts; write the file again.`);
  }
  return value as Record<string, string>;
}

function checkEntry(path: string, name: string, value: unknown, dataBytes: number): HeaderEntry {
  const refuse = (what: string) => new NarrowsError(`${path}: tensor "${name}" ${what}; the file is damaged, copy or write it again.`);
  if (!isRecord(value)) throw refuse('has no description');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(BITS, dtype)) throw refuse(`has the unknown type ${JSON.stringify(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(isCount)) throw refuse('has a shape that is not a list of sizes');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw refuse('has data_offsets that are not two positions');
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) throw refuse(`lies at bytes ${begin} to ${end}, outside the file's ${dataBytes} bytes of data`);
  const bits = shape.reduce((a: number, b: number) => a * b, BITS[dtype]);
  if (bits !== (end - begin) * 8) {
    throw refuse(`of type ${dtype} and shape [${shape.join(', ')}] does not take the ${end - begin} bytes that are set aside for it`);
  }
  return { name, stored: dtype, shape, begin, end };
}

/** Tensors must follow one another from the first byte to the last: a gap could hide data, an overlap would alias it. */
function checkLayout(path: string, entries: readonly HeaderEntry[], dataBytes: number): void {
  let at = 0;
  for (const entry of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin < at) throw new NarrowsError(`${path}: tensor "${entry.name}" overlaps the one before it; write the file again.`);
    if (entry.begin > at)
      throw new NarrowsError(`${path}: ${entry.begin - at} bytes before tensor "${entry.name}" belong to no tensor; write the file again.`);
    at = entry.end;
  }
  if (at !== dataBytes)
    throw new NarrowsError(`${path}: the last ${dataBytes - at} bytes belong to no tensor; copy or write the file again.`);
}

/** The first key that an object's text holds twice at its top level; `JSON.parse` would keep the last in silence. */
function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      // At the top level every value is an object, or has been refused: all strings there are keys.
      if (depth !== 1) continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}
