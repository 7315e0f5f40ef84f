/** Training batches of phantom chests: which patch belongs to which finding, which names are right, and what a batch holds. */
import { describe, expect, it } from 'vitest';
import { type Chest, type ChestFinding, chestBytes, drawChest, maskBox } from '../../scenes/chest/chest.ts';
import { FINDINGS } from '../../scenes/chest/registry.ts';
import { PLACES, reportSentences, reportText } from '../../scenes/chest/report.ts';
import { RandomStream } from '../../tensor/random.ts';
import { ChestBatches, type ChestBatchSettings, MOST_NAMES, patchNames, rightNames } from './chest-batch.ts';
import { ChestTexts } from './chest-texts.ts';

/** Wider than high, with a column that no patch takes. */
const [WIDTH, HEIGHT, PATCH] = [45, 20, 10];
/** A finding that covers rectangles [left, top, width, height]. */
function finding(name: string, place: object, ...rectangles: readonly (readonly number[])[]): ChestFinding {
  const mask = new Uint8Array(WIDTH * HEIGHT);
  for (const [left, top, width, height] of rectangles)
    for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) mask[y * WIDTH + x] = 1;
  return { name, ...place, mask, box: maskBox(mask, WIDTH) };
}
const chest = (...findings: ChestFinding[]): Chest => ({
  width: WIDTH,
  height: HEIGHT,
  values: new Float32Array(WIDTH * HEIGHT),
  findings,
});
const rowOf = (name: string, side?: string, zone?: string): number =>
  PLACES.findIndex(p => p.finding.name === name && p.place.side === side && p.place.zone === zone);

describe('patches', () => {
  it('belong to the finding that covers a twentieth of them, row by row', () => {
    // Four pixels of a hundred in patch 1, five in patch 7 (second row, last column); the picture's last five columns are no patch.
    const got = patchNames(chest(finding('pneumothorax', { side: 'right' }, [12, 2, 4, 1], [35, 12, 5, 1], [40, 0, 5, 20])), PATCH);
    expect(rowOf('pneumothorax', 'right')).toBeGreaterThanOrEqual(0);
    expect([...got]).toEqual([-1, -1, -1, -1, -1, -1, -1, rowOf('pneumothorax', 'right')]);
  });

  it('belong to the smallest of several findings, in whatever order these stand', () => {
    const large = finding('cardiomegaly', {}, [0, 0, 30, 20]);
    const small = finding('nodule', { side: 'left', zone: 'upper' }, [10, 0, 10, 10]);
    const [heart, nodule] = [rowOf('cardiomegaly'), rowOf('nodule', 'left', 'upper')];
    for (const order of [
      [large, small],
      [small, large],
    ])
      expect([...patchNames(chest(...order), PATCH)]).toEqual([heart, nodule, heart, -1, heart, heart, heart, -1]);
  });
});

it('right names are the findings at their places, then what is absent', () => {
  const names = rightNames(
    chest(
      finding('pleural effusion', { side: 'left', size: 'small' }, [0, 0, 3, 3]),
      finding('nodule', { side: 'right', zone: 'lower' }, [9, 9, 2, 2]),
    ),
  );
  const absent = FINDINGS.flatMap((f, i) => (['pleural effusion', 'nodule'].includes(f.name) ? [] : [PLACES.length + i]));
  const expected = [rowOf('pleural effusion', 'left'), rowOf('nodule', 'right', 'lower'), ...absent];
  expect(expected.slice(0, 2).every(row => row >= 0)).toBe(true);
  expect(names).toEqual([...expected, ...Array(MOST_NAMES - expected.length).fill(-1)]);
  expect(new Set(PLACES.map(p => `${p.finding.name} ${p.place.side} ${p.place.zone}`)).size).toBe(PLACES.length);
});

describe('a batch', () => {
  const settings: ChestBatchSettings = {
    ...{ imageSize: 64, patchSize: 16, imageMean: [0.5, 0.4, 0.3], imageStd: [0.2, 0.25, 0.5], seed: 7 },
    ...{ batchSize: 4, maxLength: 48, maxFindings: 3, keptPatches: [{ fromStep: 2, count: 6 }] },
  };
  const ints = (t: { readonly data: ArrayLike<number | bigint> }): number[] => Array.from(t.data, Number);

  it('holds the pixels, reports and names of the chests of its step, and nothing else decides it', () => {
    const batch = new ChestBatches(settings).batch(1);
    expect(new ChestBatches(settings).batch(1)).toEqual(batch);
    expect(new ChestBatches(settings).batch(0).patches).not.toEqual(batch.patches);
    const [chests, reports] = ['chests', 'reports'].map(name => new RandomStream(7, name));
    const texts = new ChestTexts(48);
    for (let b = 0; b < 4; b++) {
      const drawn = drawChest({ width: 64, height: 64, maxFindings: 3 }, chests.reader(1, b));
      expect(ints(batch.names).slice(b * MOST_NAMES, (b + 1) * MOST_NAMES)).toEqual(rightNames(drawn));
      expect(ints(batch.owners).slice(16 * b, 16 * b + 16)).toEqual([...patchNames(drawn, 16)]);
      const report = texts.tensors([reportText(reportSentences(drawn.findings, reports.reader(1, b)))]);
      const length = batch.ids.shape[1];
      expect(ints(batch.ids).slice(b * length, b * length + report.ids.shape[1])).toEqual(ints(report.ids));
      expect(ints(batch.eos)[b]).toBe(ints(report.eos)[0]);
      // Patch 6 is the third one of the second row; its channel 2, row 5, column 9.
      const grey = chestBytes(drawn)[(16 + 5) * 64 + 32 + 9] / 255;
      const width = 3 * 16 * 16;
      expect(batch.patches.data[(16 * b + 6) * width + 2 * 256 + 5 * 16 + 9]).toBeCloseTo((grey - 0.3) / 0.5, 5);
    }
    expect(batch.nameIds.shape[0]).toBe(PLACES.length + FINDINGS.length);
    expect(ints(batch.kept)).toEqual(Array.from({ length: 64 }, (_, i) => i % 16));
  });

  it('of fewer patches keeps those with a finding first, in reading order', () => {
    const batch = new ChestBatches(settings).batch(2);
    expect(batch.patches.shape).toEqual([4, 6, 768]);
    const chests = new RandomStream(7, 'chests');
    for (let b = 0; b < 4; b++) {
      const owners = patchNames(drawChest({ width: 64, height: 64, maxFindings: 3 }, chests.reader(2, b)), 16);
      const kept = ints(batch.kept).slice(6 * b, 6 * b + 6);
      expect(kept).toEqual([...new Set(kept)].sort((x, y) => x - y));
      expect(ints(batch.owners).slice(6 * b, 6 * b + 6)).toEqual(kept.map(at => owners[at]));
      const owned = owners.filter(name => name >= 0).length;
      expect(kept.filter(at => owners[at] >= 0)).toHaveLength(Math.min(6, owned));
    }
  });
});
