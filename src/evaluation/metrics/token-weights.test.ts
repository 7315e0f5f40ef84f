import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeTargets } from '../../attribution/encode-target.ts';
import { type EncodedPairs, encodePairs } from '../../attribution/pair.ts';
import { LAYERS, PAIRS, tinyPairModel } from '../../attribution/testing/tiny-pairs.ts';
import { GraphCache } from '../../graph/index.ts';
import { tokenWeightScores } from './token-weights.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
let encoded: EncodedPairs;
const graphs = new GraphCache();
beforeAll(async () => {
  model = await tinyPairModel();
  encoded = await encodePairs(model, PAIRS, LAYERS);
});
afterAll(async () => {
  await graphs.release();
  await model.release();
  await model.remove();
});

it('weights of one give the plain score of captions of any length, others another one; chunks change nothing', async () => {
  const { text: target } = await encodeTargets(model, encoded);
  for (const [p, words] of [2, 7].entries()) {
    const score = tokenWeightScores({ model, encoded, keep: graphs.keep }, p, target);
    const rows = new Float32Array(3 * words).fill(1, 0, words).fill(0.5, words, 2 * words);
    const [whole, half, none] = await score(rows);
    expect(whole).toBeCloseTo(encoded.cosines[p], 5);
    expect(new Set([whole, half, none].map(v => v.toFixed(4))).size).toBe(3);
    const one = tokenWeightScores({ model, encoded, keep: graphs.keep, maxMemory: 34_000 }, p, target);
    expect([...(await one(rows))]).toEqual([expect.closeTo(whole, 5), expect.closeTo(half, 5), expect.closeTo(none, 5)]);
  }
});
