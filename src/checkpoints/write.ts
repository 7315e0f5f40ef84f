/** @file Writes safetensors files that the Rust, Python and torch libraries open, byte for byte as the Rust library lays them out. */

import { writeFileAtomic } from '../node/files.ts';
import { NarrowsError } from '../system/errors.ts';
import { DTYPES, type DType } from '../tensor/dtype.ts';
import { sizeOf, type Tensor } from '../tensor/tensor.ts';
import { MAX_HEADER_BYTES } from './safetensors-header.ts';

/** Tensors by name: a record, a Map, or pairs. */
export type NamedTensors = Iterable<readonly [string, Tensor]> | Readonly<Record<string, Tensor>>;

/** The format's name of each type, the most strictly aligned first: the order in which tensors are written. */
const STORED: readonly (readonly [DType, string])[] = [
  ['int64', 'I64'],
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['int32', 'I32'],
  ['bfloat16', 'BF16'],
  ['float16', 'F16'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
];
const RANK = new Map(STORED.map(([dtype], rank) => [dtype, rank]));

/** Pairs of `tensors`, checked: no name twice, data as long as the shape says. @throws NarrowsError that names the tensor. */
export function listTensors(path: string, tensors: NamedTensors): [string, Tensor][] {
  const pairs = Symbol.iterator in tensors ? [...(tensors as Iterable<readonly [string, Tensor]>)] : Object.entries(tensors);
  const seen = new Set<string>(['__metadata__']);
  for (const [name, { dtype, shape, data }] of pairs) {
    if (seen.has(name)) throw new NarrowsError(`Cannot write ${path}: the name "${name}" is given twice or reserved; rename the tensor.`);
    seen.add(name);
    if (data.length !== sizeOf(shape) || data.BYTES_PER_ELEMENT !== DTYPES[dtype].bytes) {
      throw new NarrowsError(
        `Cannot write ${path}: tensor "${name}" has ${data.length} values but shape [${shape.join(', ')}] of ${dtype}.`,
      );
    }
  }
  return pairs as [string, Tensor][];
}

/**
 * Writes a safetensors file atomically. The header is padded so that the data starts at a multiple of eight bytes; tensors are ordered by
 * alignment, then by name (UTF-8 order), as the Rust library orders them.
 * @param metadata texts for the header's `__metadata__`; transformers expects `{ format: 'pt' }`.
 * @throws NarrowsError for a name given twice, data that does not fill its shape, or a file that cannot be written.
 */
export async function writeSafetensors(path: string, tensors: NamedTensors, metadata?: Readonly<Record<string, string>>): Promise<void> {
  const sorted = listTensors(path, tensors)
    .map(([name, tensor]) => ({ name, tensor, key: Buffer.from(name) }))
    .sort((a, b) => RANK.get(a.tensor.dtype)! - RANK.get(b.tensor.dtype)! || Buffer.compare(a.key, b.key));
  const parts: string[] = metadata && Object.keys(metadata).length ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let at = 0;
  for (const { name, tensor } of sorted) {
    const end = at + tensor.data.byteLength;
    const stored = STORED[RANK.get(tensor.dtype)!][1];
    parts.push(`${JSON.stringify(name)}:{"dtype":"${stored}","shape":[${tensor.shape.join(',')}],"data_offsets":[${at},${end}]}`);
    at = end;
  }
  const json = Buffer.from(`{${parts.join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) throw new NarrowsError(`Cannot write ${path}: its header would be ${padded} bytes; write fewer tensors.`);
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  json.copy(header, 8);
  function* pieces(): Generator<Uint8Array> {
    yield header;
    for (const { data } of sorted.map(s => s.tensor)) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  await writeFileAtomic(path, pieces());
}
