/** @file A limit that somebody chose holds: where one row does not fit there is a sentence and no run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fittingRows, MAX_MEMORY } from './memory.ts';
import { createMethod, findMethod } from './registry.ts';
import { drawPair, tinyPairModel } from './testing/tiny-pairs.ts';

it('counts rows, at least one under the default, none under a limit that is too small', () => {
  expect(fittingRows(1000, 300, 'A row')).toBe(3);
  expect(fittingRows(MAX_MEMORY, 2 * MAX_MEMORY, 'A row')).toBe(1);
  expect(() => fittingRows(1000, 1001, 'A row')).toThrow(/^A row takes about .* of memory, more than the .* that --max-memory/);
});

describe('a method', () => {
  let model: Awaited<ReturnType<typeof tinyPairModel>>;
  beforeAll(async () => {
    model = await tinyPairModel();
  });
  afterAll(async () => {
    await model.release();
    await model.remove();
  });
  it.each(['grad-cam', 'saliency', 'm2ib', 'occlusion', 'grad-eclip'])('%s refuses before it computes', async name => {
    await using method = createMethod(findMethod(name)!, model, {});
    await expect(method.attribute(drawPair(1), { maxMemory: 20_000 })).rejects.toThrow(
      'that --max-memory (maxMemory in the library) allows',
    );
  });
});
