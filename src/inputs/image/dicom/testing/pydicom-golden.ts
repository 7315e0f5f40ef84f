/** @file What pydicom reads from a DICOM file, by make_dicom.py, and the comparison of our numbers with it. For tests and bench/peers/check_dicom.ts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { readHeader as readJpegHeader, readSamples } from '../../codec.ts';
import { readHeader } from '../dataset.ts';
import { readFrame } from '../frame.ts';
import { modalityValues, type View, viewsOf, viewValues } from '../values.ts';
import { wasmCodec } from '../wasm-codecs.ts';

/** What pydicom says of a file. */
export interface Facts {
  readonly refused?: string;
  readonly shape: readonly number[];
  readonly frames: number;
  readonly pixels: string;
  readonly first: readonly number[];
  readonly modality?: string;
  readonly views?: readonly { readonly refused?: string; readonly sha: string; readonly sum: number; readonly first: readonly number[] }[];
}

/** The folder of the files. */
export const testdata = fileURLToPath(new URL('../testdata/', import.meta.url));
/** By file name. */
export const golden = JSON.parse(readFileSync(`${testdata}golden.json`, 'utf8')) as Record<'own' | 'pydicom', Record<string, Facts>>;
const sha = (array: Int32Array | Float64Array): string =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex');
const jpeg = async (bytes: Uint8Array) => readSamples(bytes, await readJpegHeader(bytes), false);

/** Holds stored numbers, modality values and views against pydicom's. @throws where one differs, or NarrowsError where the file is refused */
export async function compareWithPydicom(path: string, facts: Facts): Promise<void> {
  const header = await readHeader('Image x.dcm', readFileSync(path));
  const { rows, columns, samples, values } = await readFrame('Image x.dcm', header, facts.frames > 1 ? 1 : 0, { jpeg, codec: wasmCodec });
  expect([rows, columns, ...(samples > 1 ? [samples] : [])]).toEqual(facts.shape.slice(facts.frames > 1 ? 1 : 0));
  expect([...values.slice(0, 6)]).toEqual(facts.first);
  expect(sha(values)).toBe(facts.pixels);
  if (facts.modality === undefined) return;
  const modality = modalityValues(values, header);
  expect(sha(modality)).toBe(facts.modality);
  const views: View[] = viewsOf(header);
  expect(views).toHaveLength(facts.views!.length);
  for (const [i, view] of facts.views!.entries()) {
    if (view.refused) continue;
    const { data } = viewValues(modality, header, views[i]);
    for (const [k, v] of view.first.entries()) expect(data[k]).toBeCloseTo(v, 9);
    // Python's exp and ours may differ in the last bit.
    if (header.voiFunction === 'SIGMOID' && views[i].kind === 'window') expect(data.reduce((a, b) => a + b, 0)).toBeCloseTo(view.sum, 5);
    else expect(sha(data)).toBe(view.sha);
  }
}
