/** @file Patch labels and run-length masks against plain counting. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../tensor/random.ts';
import { patchOwners } from './patch-labels.ts';
import { decodeRle, encodeRle } from './rle.ts';
import { drawScene } from './scene.ts';
import { syntheticWorld } from './testdata/synthetic.ts';

const world = syntheticWorld();
const stream = new RandomStream(4, 'scenes');

describe('patchOwners', () => {
  it('names the concept that covers more than the threshold', () => {
    for (let i = 0; i < 40; i++) {
      const scene = drawScene(world, { maxObjects: 6 }, stream.reader(0, i));
      const labels = patchOwners(scene, 12);
      expect(labels).toHaveLength(64);
      labels.forEach((label, patch) => {
        const shares = scene.objects.map((_, k) => {
          let n = 0;
          for (let y = 0; y < 12; y++)
            for (let x = 0; x < 12; x++) if (scene.owners[((patch >> 3) * 12 + y) * 96 + (patch & 7) * 12 + x] === k) n++;
          return n / 144;
        });
        const best = Math.max(0, ...shares);
        expect(label).toBe(best > 0.35 ? scene.objects[shares.indexOf(best)].concept : -1);
      });
    }
  });

  it('leaves out the rim that no whole patch covers', () => {
    const scene = drawScene(world, { place: [0] }, stream.reader(0, 0));
    expect(patchOwners(scene, 40)).toHaveLength(4);
    expect(() => patchOwners(scene, 0)).toThrow(/positive integer/);
  });
});

describe('run-length masks', () => {
  it('decode to what was encoded, in COCO order', () => {
    // Columns first: a 2×3 mask with the left column filled begins with a run of no empty pixels.
    expect(encodeRle([1, 0, 0, 1, 0, 1], 3, 2, 1)).toEqual({ size: [2, 3], counts: [0, 2, 3, 1] });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 81, maxLength: 81 }),
        (w, h, all) => {
          const owners = all.slice(0, w * h);
          for (const owner of [0, 1, 2])
            expect([...decodeRle(encodeRle(owners, w, h, owner))]).toEqual(owners.map(o => (o === owner ? 1 : 0)));
        },
      ),
    );
    expect(() => decodeRle({ size: [2, 2], counts: [3] })).toThrow(/add up to 3 pixels/);
  });
});
