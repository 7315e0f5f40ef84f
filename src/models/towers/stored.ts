/**
 * @file Tensors in memory out of a checkpoint of another layout: which stored tensor stands for each, whole, as some of its rows (one matrix
 * that holds queries, keys and values), or turned (weights that are multiplied from the right). Nothing is copied: rows are a range of bytes.
 */
import { changedEntry, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { showShape, type Value } from '../../graph/index.ts';
import type { LoadReport } from '../../nn/parameters.ts';
import { DTYPES } from '../../tensor/dtype.ts';

/** Where a tensor in memory comes from. */
export interface StoredTensor {
  readonly name: string;
  /** The part `index` of `count` equal parts of the first axis. */
  readonly part?: readonly [index: number, count: number];
  /** Stored as [in, out]. */
  readonly turned?: true;
}

/** The stored tensor for a name in memory. */
export type StoredName = (name: string) => StoredTensor;

/** Buffers that are stored and hold no weights. */
const BUFFERS = /(^|\.)(position_ids|token_type_ids|attn_mask)$/;

/** Rows of a stored tensor. */
function partOf(entry: TensorEntry, [index, count]: readonly [number, number]): TensorEntry {
  const [rows, ...rest] = entry.shape;
  const length = entry.length / count;
  const from = index * length;
  return changedEntry(entry, {
    name: `${entry.name}[${(index * rows) / count}:${((index + 1) * rows) / count}]`,
    shape: [rows / count, ...rest],
    offset: entry.offset + from,
    length,
    read: (at, bytes) => entry.read(from + at, bytes),
  });
}

/** A stored matrix whose values are read turned; its place in the file keeps the stored order, which graphs turn. */
function turned(entry: TensorEntry): TensorEntry {
  const [rows, columns] = entry.shape;
  return changedEntry(entry, {
    shape: [columns, rows],
    turned: true,
    async read(at, bytes) {
      const size = DTYPES[entry.dtype].bytes;
      const from = await entry.read(0, entry.length);
      const out = new Uint8Array(entry.length);
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++)
          out.set(from.subarray((r * columns + c) * size, (r * columns + c + 1) * size), (c * rows + r) * size);
      return out.slice(at, at + bytes);
    },
  });
}

const withoutOnes = (shape: readonly unknown[]): string => JSON.stringify(shape.filter(n => n !== 1));

/** The same values under another shape of the same size. */
const shaped = (entry: TensorEntry, shape: readonly number[]): TensorEntry => changedEntry(entry, { shape });

/**
 * The tensors in memory that a model asks for, out of stored ones. Axes of length one may be there or not. A checkpoint may also hold
 * tensors under their names in memory already.
 * @param wanted name in memory -> shape
 * @returns entries by name in memory, and a report whose names are those of the file
 */
export function storedEntries(
  wanted: ReadonlyMap<string, Value>,
  stored: ReadonlyMap<string, TensorEntry>,
  where: StoredName,
): { entries: Map<string, TensorEntry>; report: LoadReport } {
  const report: LoadReport = { missing: [], unexpected: [], misshaped: [] };
  const entries = new Map<string, TensorEntry>();
  const used = new Set<string>();
  const missing = new Set<string>();
  for (const [name, { shape }] of wanted) {
    const place: StoredTensor = stored.has(name) ? { name } : where(name);
    const entry = stored.get(place.name);
    if (!entry) {
      missing.add(place.name);
      continue;
    }
    used.add(place.name);
    const [, count] = place.part ?? [0, 1];
    if (entry.shape.length > 0 && (entry.shape[0] % count !== 0 || (place.turned && entry.shape.length !== 2))) {
      report.misshaped.push({ name: place.name, expected: shape, actual: entry.shape });
      continue;
    }
    const whole = place.part ? partOf(entry, place.part) : place.turned ? turned(entry) : entry;
    if (withoutOnes(whole.shape) === withoutOnes(shape))
      entries.set(name, showShape(whole.shape) === showShape(shape) ? whole : shaped(whole, shape as readonly number[]));
    else {
      const expected = place.part ? [Number(shape[0]) * count, ...shape.slice(1)] : place.turned ? [...shape].reverse() : shape;
      report.misshaped.push({ name: place.name, expected, actual: entry.shape });
    }
  }
  report.missing.push(...missing);
  for (const name of stored.keys()) if (!used.has(name) && !BUFFERS.test(name)) report.unexpected.push(name);
  return { entries, report };
}
