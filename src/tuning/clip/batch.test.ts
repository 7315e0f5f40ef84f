import { expect, it } from 'vitest';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { patchOwners } from '../../scenes/patch-labels.ts';
import { drawScene } from '../../scenes/scene.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type SceneBatchSettings, sceneBatch } from './batch.ts';

const SIZE = 64;
const PATCH = 8;
const GRID = (SIZE / PATCH) ** 2;
const world = syntheticWorld(CONCEPTS.length);

/** Patches of a step's only scene: how much each is worth, by what its 64 pixels show. */
function worthOf(seed: number): number[] {
  const options = { width: SIZE, height: SIZE, minObjects: 1, maxObjects: 1 };
  const scene = drawScene(world, options, new RandomStream(seed, 'scenes').reader(0, 0));
  const owners = patchOwners(scene, PATCH);
  return Array.from({ length: GRID }, (_, k) => {
    const [top, left] = [Math.floor(k / 8) * PATCH, (k % 8) * PATCH];
    const pixels = Array.from({ length: PATCH * PATCH }, (_, i) => scene.owners[(top + Math.floor(i / PATCH)) * SIZE + left + (i % PATCH)]);
    return owners[k] >= 0 ? 2 : Number(pixels.some(owner => owner >= 0));
  });
}

function keptOf(seed: number, count: number): number[] {
  const settings: SceneBatchSettings = {
    ...{ seed, batchSize: 1, imageSize: SIZE, patchSize: PATCH, imageMean: [0.5, 0.5, 0.5], imageStd: [0.3, 0.3, 0.3] },
    ...{ curriculumSteps: 10, maxObjects: 1, namesPerStep: 4, keptPatches: [{ fromStep: 0, count }] },
  };
  return [...(sceneBatch(world, settings, 0).kept.data as Int32Array)];
}

it('keeps patches that an object fills before those that it touches, and these before background, in reading order', () => {
  let touched = 0;
  for (let seed = 0; seed < 8; seed++) {
    const worth = worthOf(seed);
    const [filled, any] = [worth.filter(w => w === 2).length, worth.filter(w => w > 0).length];
    touched += any - filled;
    for (const count of [1, filled, filled + Math.ceil((any - filled) / 2), any, Math.min(GRID, any + 3), GRID, GRID + 1]) {
      const kept = keptOf(seed, count);
      expect(kept).toHaveLength(Math.min(count, GRID));
      expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
      const best = [...worth].sort((a, b) => b - a).slice(0, count);
      expect(kept.map(k => worth[k]).sort((a, b) => b - a)).toEqual(best);
    }
  }
  expect(touched).toBeGreaterThan(8);
});

it('draws which ones at random', () => {
  expect(keptOf(1, 2)).not.toEqual(keptOf(2, 2));
  expect(keptOf(1, 60)).not.toEqual(Array.from({ length: 60 }, (_, k) => k));
});
