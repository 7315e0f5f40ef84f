import { afterAll, beforeAll, expect, it } from 'vitest';
import { centrePrior, gradientMagnitude } from '../controls/controls.ts';
import { createMethod, findMethod, methods } from '../registry.ts';
import { drawPair, PAIRS, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

const method = (name: string) => createMethod(findMethod(name)!, model);

it('are four, and run no block', async () => {
  const controls = methods.filter(m => m.family === 'control');
  expect(controls.map(m => m.name)).toEqual(['random', 'centre-prior', 'image-gradient-magnitude', 'uniform']);
  for (const { name, modalities } of controls) {
    const all = await method(name).attributeAll(PAIRS);
    for (const [p, a] of all.entries()) {
      expect(a.passes).toEqual({ forward: 0, backward: 0 });
      expect(a.text !== undefined).toBe(modalities.includes('text'));
      expect(a.image!.tokens[0]).toBe(0);
      const single = await method(name).attribute(PAIRS[p]);
      expect(single.image!.tokens).toEqual(a.image!.tokens);
      if (a.text) expect(textValues(single)).toEqual(textValues(a));
    }
  }
  await expect(method('centre-prior').attribute(PAIRS[0], { modality: 'text' })).rejects.toThrow(/centre-prior makes no map of the text/);
});

it('uniform shares one among patches, or the words of the caption', async () => {
  const { image, text } = await method('uniform').attribute(PAIRS[0]);
  expect(new Set(image!.patches)).toEqual(new Set([1 / 16]));
  expect(textValues({ text } as never)).toEqual([0, 0.5, 0.5, 0]);
});

it('random is uniform in (0, 1), another one for every seed, picture and caption', async () => {
  const random = method('random');
  const maps = await Promise.all(Array.from({ length: 20 }, (_, i) => i + 1).map(seed => random.attributeAll(PAIRS, { seed })));
  const patches = maps.flat().map(a => a.image!.patches.join());
  expect(new Set(patches).size).toBe(80);
  const values = maps.flat().flatMap(a => [...a.image!.patches]);
  expect(Math.min(...values)).toBeGreaterThan(0);
  expect(Math.max(...values)).toBeLessThan(1);
  expect(values.reduce((a, b) => a + b, 0) / values.length).toBeCloseTo(0.5, 1);
  expect(values.filter(v => v < 0.25).length / values.length).toBeCloseTo(0.25, 1);
  const [first] = maps[0];
  expect((await random.attribute(PAIRS[0], { seed: 1, seeds: 3 })).image!.stability!.seeds).toEqual([1, 2, 3]);
  expect(textValues(first)[0]).toBe(0);
});

it('centre prior and edges are what the maths of controls gives for the picture as seen', async () => {
  const { image } = await method('centre-prior').attribute(PAIRS[0]);
  expect(image!.patches).toEqual(centrePrior([4, 4]));
  const pair = drawPair(5);
  const edges = (await method('image-gradient-magnitude').attribute(pair)).image!.patches;
  // 32 × 32 pixels are seen as they are.
  const expected = gradientMagnitude(pair.image, [4, 4]);
  for (const [i, v] of edges.entries()) expect(v).toBeCloseTo(expected[i], 2);
});
