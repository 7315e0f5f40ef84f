/** @file Lazy reader of safetensors files: opening reads the header alone, reading a tensor takes exactly its range of bytes. */
import { type FileHandle, open, realpath } from '../node/disk.ts';
import { NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';
import { allocate, DTYPES, type DType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { bfloatsToFloats, halvesToFloats } from './half.ts';
import { type HeaderEntry, headerLength, parseHeader, READABLE } from './safetensors-header.ts';

/** Where one tensor lies. */
export interface TensorEntry {
  readonly name: string;
  /** Throws a NarrowsError that names the tensor when the file stores a type that Narrows cannot read (`stored` never throws). */
  readonly dtype: DType;
  /** The type's name in the file, e.g. `BF16`. */
  readonly stored: string;
  readonly shape: readonly number[];
  /** Real path of the file (symbolic links resolved, as external data of ONNX Runtime wants it). */
  readonly file: string;
  /** Absolute position in the file, bytes. Not necessarily a multiple of the element size. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** An opened file: what its header says. No handle stays open. */
export interface SafetensorsFile {
  /** Real path. */
  readonly path: string;
  readonly metadata: Record<string, string>;
  /** In the header's order. */
  readonly tensors: Map<string, TensorEntry>;
}

/** One read takes at most this many bytes (the system call's limit is 2 GiB). */
const PIECE = 1 << 30;

async function readExactly(file: FileHandle, path: string, into: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(PIECE, into.length - at), position + at);
    if (bytesRead === 0) throw new NarrowsError(`${path} ends at byte ${position + at}: it was cut short while in use; copy it again.`);
    at += bytesRead;
  }
}

function makeEntry(file: string, dataStart: number, { name, stored, shape, begin, end }: HeaderEntry): TensorEntry {
  const entry = { name, stored, shape, file, offset: dataStart + begin, length: end - begin };
  const dtype = READABLE[stored];
  if (dtype) return { ...entry, dtype };
  return Object.defineProperty(entry, 'dtype', {
    get(): never {
      throw new NarrowsError(
        `${file}: tensor "${name}" has type ${stored}, which Narrows cannot read; convert it to F32, F16 or BF16 in Python.`,
      );
    },
  }) as TensorEntry;
}

/**
 * Opens a safetensors file and checks its whole header; no tensor is read.
 * @throws NarrowsError when the file is missing, truncated, no safetensors file, or when its header lies about its data.
 * @example
 * await writeSafetensors('values.safetensors', { a: floats([2], [1, 2]) });
 * const { tensors } = await openSafetensors('values.safetensors');
 * console.log(await readFloats(tensors.get('a')!));
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  try {
    const real = await realpath(path);
    const file = await open(real, 'r');
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new NarrowsError(`Cannot read ${path}: it is not a file; give a safetensors file.`);
      const start = new Uint8Array(Math.min(8, stat.size));
      await readExactly(file, path, start, 0);
      const header = new Uint8Array(headerLength(path, start, stat.size));
      await readExactly(file, path, header, 8);
      const dataStart = 8 + header.length;
      const { metadata, entries } = parseHeader(path, header, stat.size - dataStart);
      return { path: real, metadata, tensors: new Map(entries.map(entry => [entry.name, makeEntry(real, dataStart, entry)])) };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readError(path, error);
  }
}

/** Reads one tensor into memory of its own, in its stored type (float16 and bfloat16 as raw words). @throws NarrowsError when it cannot be read. */
export async function readTensor(entry: TensorEntry): Promise<Tensor> {
  const { dtype, shape } = entry;
  try {
    const data = allocate(dtype, entry.length / DTYPES[dtype].bytes);
    const file = await open(entry.file, 'r');
    try {
      await readExactly(file, entry.file, new Uint8Array(data.buffer), entry.offset);
    } finally {
      await file.close();
    }
    return { dtype, shape, data };
  } catch (error) {
    throw readError(entry.file, error);
  }
}

/** The values of a tensor as float32: 16-bit floats exactly, float64 and integers to nearest. */
export function toFloats({ dtype, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (dtype === 'float16') return halvesToFloats(data as Uint16Array);
  if (dtype === 'bfloat16') return bfloatsToFloats(data as Uint16Array);
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  return Float32Array.from(data as Exclude<typeof data, BigInt64Array>);
}

/** Reads one tensor as float32, see `toFloats`. @throws NarrowsError when it cannot be read. */
export async function readFloats(entry: TensorEntry): Promise<Float32Array> {
  return toFloats(await readTensor(entry));
}
