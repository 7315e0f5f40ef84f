/** @file Lazy reader of safetensors files: opening reads only the header, reading a tensor takes exactly its range of bytes. */
import { NarrowsError } from '../system/errors.ts';
import { fileIn, locate, type ModelFiles } from '../system/model-files.ts';
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
  /** Where the file stands: on disk its real path (symbolic links resolved, as external data of ONNX Runtime wants it). */
  readonly file: string;
  /** Absolute position in the file, bytes. Not necessarily a multiple of the element size. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** The file holds it transposed: `shape` and `read` are as a model wants them, `offset` and `length` give the stored order. */
  readonly turned?: true;
  /** `length` bytes of the tensor from its byte `from` on. @throws NarrowsError where the file is gone or was cut short */
  read(from: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** An entry with some of its properties changed; one whose type cannot be read stays such a one. */
export const changedEntry = (entry: TensorEntry, changes: Partial<TensorEntry>): TensorEntry =>
  Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(entry), ...Object.getOwnPropertyDescriptors(changes) }) as TensorEntry;

/** An opened file: what its header says. No handle stays open. */
export interface SafetensorsFile {
  /** Where it stands: on disk its real path. */
  readonly path: string;
  readonly metadata: Record<string, string>;
  /** In the header's order. */
  readonly tensors: Map<string, TensorEntry>;
}

function makeEntry(file: string, readFile: TensorEntry['read'], dataStart: number, header: HeaderEntry): TensorEntry {
  const { name, stored, shape, begin, end } = header;
  const offset = dataStart + begin;
  const read: TensorEntry['read'] = (from, length) => readFile(offset + from, length);
  const entry = { name, stored, shape, file, offset, length: end - begin, read };
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
 * Opens a safetensors file and checks its whole header; no tensor is read. (From a path: `openSafetensors` of checkpoints/disk.ts.)
 * @param file its name among `files`
 * @throws NarrowsError when the file is missing, truncated, no safetensors file, or when its header lies about its data.
 */
export async function openSafetensorsFrom(files: ModelFiles, file: string): Promise<SafetensorsFile> {
  const path = fileIn(files, file);
  const size = await files.size(file);
  const start = await files.read(file, 0, Math.min(8, size));
  const header = await files.read(file, 8, headerLength(path, start, size));
  const dataStart = 8 + header.length;
  const { metadata, entries } = parseHeader(path, header, size - dataStart);
  const location = await locate(files, file);
  const read = (offset: number, length: number) => files.read(file, offset, length);
  return { path: location, metadata, tensors: new Map(entries.map(entry => [entry.name, makeEntry(location, read, dataStart, entry)])) };
}

/** Reads one tensor into memory of its own, in its stored type (float16 and bfloat16 as raw words). @throws NarrowsError when it cannot be read. */
export async function readTensor(entry: TensorEntry): Promise<Tensor> {
  const { dtype, shape, length } = entry;
  const data = allocate(dtype, length / DTYPES[dtype].bytes);
  new Uint8Array(data.buffer).set(await entry.read(0, length));
  return { dtype, shape, data };
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
