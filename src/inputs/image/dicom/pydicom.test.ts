/** DICOM files against pydicom: stored numbers, modality values and every view, equal to the last bit (SIGMOID and lossy JPEG aside). */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readHeader as readJpegHeader, readSamples } from '../codec.ts';
import { readHeader } from './dataset.ts';
import { readFrame } from './frame.ts';
import { modalityValues, type View, viewsOf, viewValues } from './values.ts';

interface Facts {
  readonly refused?: string;
  readonly shape: readonly number[];
  readonly frames: number;
  readonly pixels: string;
  readonly first: readonly number[];
  readonly modality?: string;
  readonly views?: readonly { readonly refused?: string; readonly sha: string; readonly sum: number; readonly first: readonly number[] }[];
}

const testdata = fileURLToPath(new URL('testdata/', import.meta.url));
const golden = JSON.parse(readFileSync(`${testdata}golden.json`, 'utf8')) as Record<'own' | 'pydicom', Record<string, Facts>>;
const sha = (array: Int32Array | Float64Array): string =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex');
const jpeg = async (bytes: Uint8Array) => readSamples(bytes, await readJpegHeader(bytes), false);

async function compare(path: string, facts: Facts): Promise<void> {
  const header = await readHeader('Image x.dcm', readFileSync(path));
  const { rows, columns, samples, values } = await readFrame('Image x.dcm', header, facts.frames > 1 ? 1 : 0, jpeg);
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

describe('files that make_dicom.py wrote', () => {
  for (const [name, facts] of Object.entries(golden.own))
    if (!facts.refused && name !== 'bits-32.dcm' && name !== 'palette.dcm' && name !== 'unknown-syntax.dcm')
      it(name, () => compare(`${testdata}${name}`, facts));
});

describe('files that pydicom is tested with', () => {
  for (const [name, facts] of Object.entries(golden.pydicom))
    if (!facts.refused && existsSync(`${testdata}pydicom/${name}`)) it(name, () => compare(`${testdata}pydicom/${name}`, facts));
});
