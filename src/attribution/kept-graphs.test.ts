/** Graphs that a method keeps serve only the calls they were made for, and one that could not be compiled is compiled by the next call. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../runtime/runtime.ts';
import type { AttributeRun } from './attributor.ts';
import { encodePairs } from './pair.ts';
import { Perturbation } from './perturbation/perturbation.ts';
import { createMethod, findMethod } from './registry.ts';
import { drawPair, LAYERS, PAIRS, textValues, tinyPairModel } from './testing/tiny-pairs.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

/** One method of every kind of graph. */
const METHODS = {
  'layer-integrated-gradients': { nSteps: 2 },
  'grad-cam': {},
  chefer: {},
  exclip: {},
  m2ib: { steps: 2, batchSize: 2 },
  coiba: { steps: 2, batchSize: 2 },
} as const;

const RUNS: readonly AttributeRun[] = [
  { target: { labels: ['a cat', 'a tree'] } },
  { target: { labels: ['a cat', 'a tree', 'a boat'] } },
  { target: { against: 'a cat' }, imageSize: 48 },
  {},
];

describe('kept graphs', () => {
  for (const [name, options] of Object.entries(METHODS))
    it(`of ${name} give what new ones give, whatever was asked before`, async () => {
      const given = Object.fromEntries(Object.entries(options).filter(([key]) => key in findMethod(name)!.schema.shape));
      await using kept = createMethod(findMethod(name)!, model, given);
      for (const [i, run] of RUNS.entries()) {
        const pair = drawPair(i, 1 + i);
        await using fresh = createMethod(findMethod(name)!, model, given);
        const [got, want] = [await kept.attribute(pair, run), await fresh.attribute(pair, run)];
        expect(got.image?.tokens, `run ${i}`).toEqual(want.image?.tokens);
        if (want.text) expect(textValues(got), `run ${i}`).toEqual(textValues(want));
      }
    });
});

describe('a graph that could not be compiled', () => {
  /** Lets a number of compilations pass, then one fail. */
  async function failing<T>(passes: number, body: () => Promise<T>): Promise<T> {
    const runtime = model.runtime as { compile: Runtime['compile'] };
    const compile = runtime.compile;
    let left = passes;
    runtime.compile = async (...call) => {
      if (left-- === 0) throw new Error('out of memory');
      return compile.call(runtime, ...call);
    };
    try {
      return await body();
    } finally {
      runtime.compile = compile;
    }
  }

  it('does not stay so for a method', async () => {
    const found = findMethod('grad-cam')!;
    await using method = createMethod(found, model);
    await using fresh = createMethod(found, model);
    const want = await fresh.attribute(PAIRS[0]);
    await fresh.release();
    await expect(failing(0, () => method.attribute(PAIRS[0]))).rejects.toThrow('out of memory');
    expect((await method.attribute(PAIRS[0])).image!.tokens).toEqual(want.image!.tokens);
  });

  it('does not stay so for a model', async () => {
    const other = await tinyPairModel();
    const pixels = other.processor.process(PAIRS[0].image).pixelValues;
    const batch = { ...pixels, shape: [1, ...pixels.shape] };
    const { compile } = other.runtime;
    const runtime = other.runtime as { compile: Runtime['compile'] };
    runtime.compile = async () => {
      throw new Error('out of memory');
    };
    await expect(other.imageFeatures(batch)).rejects.toThrow('out of memory');
    runtime.compile = compile;
    expect((await other.imageFeatures(batch)).shape).toEqual([1, other.image.features]);
    await other.release();
    await other.remove();
  });

  it('does not stay so for the perturbation engine: neither its graphs nor what it holds of a picture', async () => {
    const encoded = await encodePairs(model, PAIRS, LAYERS);
    const all = new Uint8Array(16).fill(1);
    for (const passes of [0, 1]) {
      await using engine = new Perturbation({ model, encoded });
      await expect(failing(passes, () => engine.imageFeatures(0, all))).rejects.toThrow('out of memory');
      expect((await engine.imageFeatures(0, all)).shape).toEqual([1, model.image.features]);
    }
  });
});
