import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileGate } from '../../bottleneck/gate-graph.ts';
import type { GateOptions, GateResult } from '../../bottleneck/gate-problem.ts';
import { optimiseGate } from '../../bottleneck/optimise-gate.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { attributionFromJson, attributionToJson } from '../../report/attribution/json.ts';
import { spearman } from '../../tensor/statistics/rank.ts';
import { expectClose } from '../../testing/close.ts';
import { type EncodedPairs, encodePairs, type Pair } from '../pair.ts';
import type { PairAttribution as Attribution } from '../result.ts';
import { LAYERS, PAIRS, sum, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';
import { M2IB, type M2IBOptions } from './m2ib.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
const methods: M2IB[] = [];
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  for (const method of methods) await method.release();
  await model.release();
  await model.remove();
});

function m2ib(options: Partial<M2IBOptions> = {}): M2IB {
  const method = new M2IB(model, options);
  methods.push(method);
  return method;
}

const encode = (pairs: readonly Pair[], layers = LAYERS): Promise<EncodedPairs> => encodePairs(model, pairs, layers);

function expectSame(actual: Attribution, expected: Attribution, label: string): void {
  const tolerance = { rtol: 1e-3, atol: 1e-3, label };
  if (expected.image) expectClose(actual.image!.tokens, expected.image.tokens, tolerance);
  if (expected.text) expectClose(textValues(actual), textValues(expected), tolerance);
  expect(actual.caption).toBe(expected.caption);
  expect(actual.cosine).toBeCloseTo(expected.cosine, 5);
  for (const m of ['image', 'text'] as const)
    if (expected[m]) expectClose(actual[m]!.convergence.fit, expected[m].convergence.fit, { rtol: 1e-3, atol: 1e-4, label });
}

describe('a result', () => {
  let result: Attribution;
  beforeAll(async () => {
    result = await m2ib().attribute(PAIRS[1], { seed: 3 });
  });

  it('has a value for every token, and shows only patches and words', () => {
    const { image, text } = result;
    expect([image!.tokens.length, image!.prefixTokens, image!.grid]).toEqual([17, 1, [4, 4]]);
    expect(image!.patches).toEqual(image!.tokens.slice(1));
    expect(image!.view).toEqual({ left: 0, top: 0, width: 32, height: 32 });
    const words = PAIRS[1].text.split(' ');
    expect(text!.tokens.map(t => t.text)).toEqual(['<bos>', ...words, '<eos>']);
    expect(text!.tokens.map(t => t.special)).toEqual([true, ...words.map(() => false), true]);
    expect(text!.words.map(w => w.text)).toEqual(words);
    for (const [i, word] of text!.words.entries()) {
      expect(word.tokens).toEqual([i + 1]);
      expect(word.value).toBe(text!.tokens[i + 1].value);
      expect(result.caption.slice(word.start, word.end)).toBe(word.text);
    }
    for (const value of [...image!.tokens, ...textValues(result)]) expect(value).toBeGreaterThan(0);
  });

  it('counts all tokens as bits, special ones included', () => {
    expect(result.image!.totalBits).toBeCloseTo(sum(result.image!.tokens) / Math.LN2, 9);
    expect(result.text!.totalBits).toBeCloseTo(sum(textValues(result)) / Math.LN2, 9);
  });

  it('keeps everything that is needed to compute it again', async () => {
    expect(result.parameters).toEqual({
      ...m2ib().options,
      layer: LAYERS.image,
      textLayer: LAYERS.text,
      seed: 3,
      seeds: 1,
      modality: 'both',
      imageSize: null,
    });
    expect(result).toMatchObject({ schemaVersion: 1, method: 'm2ib', unit: 'nats', caption: PAIRS[1].text });
    expect(result.provenance.model.sha256).toMatch(/^[0-9a-f]{64}$/);
    for (const m of [result.image!, result.text!]) {
      expect(m.convergence.fit.length).toBe(6);
      expect(m.stability).toBeUndefined();
    }
    const { seed, seeds: _, modality: __, imageSize: ___, ...options } = result.parameters;
    const again = await m2ib(options as M2IBOptions).attribute(PAIRS[1], { seed: seed as number });
    expect(again.image!.tokens).toEqual(result.image!.tokens);
    expect(textValues(again)).toEqual(textValues(result));
  });

  it('survives JSON', () => {
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
  });

  it('has one modality where one is asked for, the same as with both', async () => {
    for (const modality of ['image', 'text'] as const) {
      const one = await m2ib().attribute(PAIRS[1], { seed: 3, modality });
      expect([one.image === undefined, one.text === undefined]).toEqual([modality === 'text', modality === 'image']);
      if (modality === 'image') expect(one.image!.tokens).toEqual(result.image!.tokens);
      else expect(textValues(one)).toEqual(textValues(result));
    }
  });
});

describe('many pairs', () => {
  it('come out as each does by itself, in any order', async () => {
    const method = m2ib();
    const all = await method.attributeAll(PAIRS);
    const turned = await method.attributeAll(PAIRS.toReversed());
    for (const [p, pair] of PAIRS.entries()) {
      const single = await method.attribute(pair);
      expectSame(all[p], single, `pair ${p}`);
      expectSame(turned[PAIRS.length - 1 - p], single, `pair ${p} turned`);
    }
    expect(all[0].image!.tokens).not.toEqual(all[1].image!.tokens);
  });

  it('are cut into chunks by memory without changing, and progress counts them all', async () => {
    const method = m2ib({ batchSize: 1500, steps: 2 });
    const seen: [number, number][] = [];
    const all = await method.attributeAll(PAIRS, { modality: 'image', onProgress: (done, total) => seen.push([done, total]) });
    // Two pairs of 17 tokens and 32 channels fit into a chunk.
    expect(seen).toEqual([1, 2, 3, 4].map(done => [done, 4]));
    for (const [p, pair] of PAIRS.entries()) expectSame(all[p], await method.attribute(pair, { modality: 'image' }), `pair ${p}`);
  });

  it('may be none', async () => {
    expect(await m2ib().attributeAll([])).toEqual([]);
  });
});

describe('seeds', () => {
  it('give the mean of the maps, their spread and how stable their ranks are', async () => {
    const method = m2ib();
    const both = await method.attribute(PAIRS[1], { seed: 5, seeds: 3 });
    const singles: Attribution[] = [];
    for (const seed of [5, 6, 7]) singles.push(await method.attribute(PAIRS[1], { seed }));
    const parts = [
      {
        explained: both.image!,
        mean: both.image!.tokens,
        maps: singles.map(s => [...s.image!.tokens]),
        shown: (m: number[]) => m.slice(1),
      },
      { explained: both.text!, mean: textValues(both), maps: singles.map(textValues), shown: (m: number[]) => m.slice(1, -1) },
    ];
    for (const { explained, mean, maps, shown } of parts) {
      const averages = maps[0].map((_, i) => sum(maps.map(m => m[i])) / 3);
      expectClose(mean, averages, { rtol: 1e-6 });
      const { seeds, standardDeviation, rankStability } = explained.stability!;
      expect(seeds).toEqual([5, 6, 7]);
      const deviations = averages.map((a, i) => Math.sqrt(sum(maps.map(m => (m[i] - a) ** 2)) / 2));
      expectClose(standardDeviation, deviations, { rtol: 1e-4, atol: 1e-5 });
      const [a, b, c] = maps.map(shown);
      expect(rankStability).toBeCloseTo((spearman(a, b) + spearman(a, c) + spearman(b, c)) / 3, 9);
      const curves = singles.map(s => (explained === both.image ? s.image! : s.text!).convergence.fit);
      expectClose(
        explained.convergence.fit,
        curves[0].map((_, i) => sum(curves.map(c => c[i])) / 3),
        { rtol: 1e-6 },
      );
    }
    expect(singles[0].image!.tokens).not.toEqual(singles[1].image!.tokens);
  });

  it('say that one word has a stable rank, and the result can be written', async () => {
    const result = await m2ib().attribute(PAIRS[2], { seeds: 2 });
    expect(result.text!.words.length).toBe(1);
    expect(result.text!.stability!.rankStability).toBe(1);
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
  });
});

/** What the gate's optimisation gives for pair 0 of `encoded` on its own. */
async function direct(encoded: EncodedPairs, modality: Modality, layer: number, options: GateOptions): Promise<GateResult> {
  const side = encoded[modality];
  const problem = {
    runtime: model.runtime,
    tower: model[modality],
    layer,
    hidden: side.hidden,
    inputs: side.inputs,
    target: encoded[modality === 'image' ? 'text' : 'image'].features,
    options,
    seed: 8,
  };
  await using graph = await compileGate({ ...problem, standardised: false });
  const [result] = await optimiseGate(problem, graph);
  return result;
}

describe("compat: 'm2ib-official'", () => {
  const GATE: GateOptions = {
    beta: 0.1,
    steps: 10,
    learningRate: 1,
    batchSize: 10,
    antithetic: false,
    perToken: false,
    alphaStart: 5,
    official: true,
  };

  it('leaves two blocks above like block 9 of 12, has beta 0.1, ten independent samples of N(0, 1), read before the last step', async () => {
    const result = await m2ib({ compat: 'm2ib-official' }).attribute(PAIRS[1], { seed: 8 });
    expect(result.parameters).toMatchObject({
      compat: 'm2ib-official',
      layer: 1,
      textLayer: 0,
      beta: 0.1,
      textBeta: 0.1,
      batchSize: 10,
      steps: 10,
      learningRate: 1,
      normalisation: 'none',
      variance: 1,
      antithetic: false,
      alpha: 'element',
    });
    const encoded = await encode([PAIRS[1]], { image: 1, text: 0 });
    expectClose(result.image!.tokens, (await direct(encoded, 'image', 1, GATE)).tokens, { rtol: 1e-5, atol: 1e-4 });
    expectClose(textValues(result), (await direct(encoded, 'text', 0, GATE)).tokens, { rtol: 1e-6 });
  });

  it('leaves beta, steps and samples free, and fixes the rest', async () => {
    const { options } = m2ib({ compat: 'm2ib-official', beta: 0.2, steps: 5, batchSize: 3, variance: 4, antithetic: true, alpha: 'token' });
    expect(options).toMatchObject({ beta: 0.2, textBeta: 0.2, steps: 5, batchSize: 3, variance: 1, antithetic: false, alpha: 'element' });
    expect(m2ib({ compat: 'm2ib-official', beta: 0.2, textBeta: 0.4 }).options).toMatchObject({ beta: 0.2, textBeta: 0.4 });
  });
});
