import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSafetensors } from '../checkpoints/disk.ts';
import { readFloats } from '../checkpoints/safetensors.ts';
import { CLIPModel } from '../models/pretrained.ts';
import { RandomStream } from '../tensor/random.ts';
import { type FloatTensor, floats, ints } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { gateNats } from './gate.ts';
import { compileGate } from './gate-graph.ts';
import type { GateFrame, GateMap, GateProblem, GateResult } from './gate-problem.ts';
import { optimiseGate } from './optimise-gate.ts';
import { sampleStatistics } from './statistics.ts';
import { normals, OPTIONS, runtime, solve, TOKENS, toy, WIDTH } from './testing/linear-tower.ts';

const shareOf = (values: Float32Array, at: (i: number) => boolean): number =>
  values.reduce((total, v, i) => total + (at(i) ? v : 0), 0) / values.reduce((a, b) => a + b, 0);

/** One pair out of several. */
function problemOf(problem: GateProblem, p: number): GateProblem {
  const one = (t: FloatTensor): FloatTensor => {
    const size = t.data.length / t.shape[0];
    return floats([1, ...t.shape.slice(1)], t.data.slice(p * size, (p + 1) * size));
  };
  const { hidden, target, statistics, lengths } = problem;
  return {
    ...problem,
    hidden: one(hidden),
    target: one(target!),
    statistics: statistics && [statistics[p]],
    lengths: lengths && [lengths[p]],
  };
}

describe('a linear model that reads one token', () => {
  it('keeps that token and closes the others, the more so the dearer information is', async () => {
    const shares: number[] = [];
    for (const beta of [0.01, 0.1, 0.3]) {
      const [{ tokens, information }] = await solve(toy({ options: { beta, steps: 40 } }));
      expect(tokens.length).toBe(TOKENS);
      expect(information.every(v => v >= 0)).toBe(true);
      for (let n = 0; n < TOKENS; n++)
        expect(tokens[n]).toBeCloseTo(
          information.subarray(n * WIDTH, (n + 1) * WIDTH).reduce((a, b) => a + b, 0),
          4,
        );
      shares.push(shareOf(tokens, n => n === 2));
    }
    for (const share of shares) expect(share).toBeGreaterThan(0.99);
    const totals: number[] = [];
    for (const beta of [0.01, 0.1, 0.3, 30]) {
      const [{ tokens }] = await solve(toy({ options: { beta, steps: 40 } }));
      totals.push(tokens.reduce((a, b) => a + b, 0));
    }
    for (let i = 1; i < totals.length; i++) expect(totals[i]).toBeLessThan(totals[i - 1]);
    // At thirty nats for a cosine of at most one nothing is worth its price.
    expect(totals[3]).toBeLessThan(0.1);
  });

  it('finds the channels that matter, and with one gate per token their token', async () => {
    // Two: a cosine sees no more than the sign of a single one, which noise leaves alone.
    const share = (token: number, channel: number): number => Number(token === 3 && channel >= 4);
    const [element] = await solve(toy({ share, options: { steps: 40 } }));
    expect(shareOf(element.information, i => Math.floor(i / WIDTH) === 3 && i % WIDTH >= 4)).toBeGreaterThan(0.95);
    expect(element.alpha.length).toBe(TOKENS * WIDTH);
    const [token] = await solve(toy({ share, options: { steps: 40, perToken: true } }));
    expect(token.alpha.length).toBe(TOKENS);
    expect(shareOf(token.tokens, n => n === 3)).toBeGreaterThan(0.99);
    // One gate, but the cost of each channel is its own.
    const { data } = normals('toy.hidden', [1, TOKENS, WIDTH]);
    expectClose(
      token.information,
      data.map((h, i) => gateNats(token.alpha[Math.floor(i / WIDTH)], h)),
      { rtol: 1e-5, atol: 1e-9 },
    );
  });

  it('takes steps that fall with the rate: linearly, or by half a cosine', async () => {
    const largest = async (learningRateSchedule: 'constant' | 'linear' | 'cosine'): Promise<number[]> => {
      const [{ alphas = [] }] = await solve({
        ...toy({ options: { beta: 30, steps: 4, learningRate: 0.1, learningRateSchedule } }),
        trace: true,
      });
      return alphas.slice(1).map((now, i) => now.reduce((most, value, j) => Math.max(most, Math.abs(value - alphas[i][j])), 0));
    };
    // Information is so dear that every gradient points the same way: Adam moves by the rate, or a little less.
    const constant = await largest('constant');
    for (const moved of constant) expect(moved).toBeCloseTo(0.1, 2);
    for (const [schedule, factors] of [
      ['linear', [1, 0.75, 0.5, 0.25]],
      ['cosine', [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2]],
    ] as const)
      (await largest(schedule)).forEach((moved, i) => {
        expect(moved / constant[i]).toBeCloseTo(factors[i], 2);
      });
  });

  it('keeps everything when information is free', async () => {
    const [{ alpha, compression, fit, tokens }] = await solve(toy({ options: { beta: 0 } }));
    expect(compression).toEqual(Array(10).fill(0));
    expect(fit.every(f => f > 0.99)).toBe(true);
    // What does not matter is never touched.
    for (const [i, a] of alpha.entries()) if (Math.floor(i / WIDTH) !== 2) expect(a).toBe(5);
    expect(tokens.every(t => t > 4 * WIDTH * 0.9)).toBe(true);
  });

  it('has curves that are what their names say at the first step', async () => {
    const hidden = normals('toy.hidden', [1, TOKENS, WIDTH]);
    const statistics = [sampleStatistics(hidden.data, WIDTH)];
    for (const given of [undefined, statistics]) {
      const [{ compression, fit }] = await solve(toy({ statistics: given, options: { steps: 1, alphaStart: 2 } }));
      const standard = hidden.data.map((h, i) => (given ? (h - given[0].mean[i % WIDTH]) / given[0].deviation[i % WIDTH] : h));
      const cost = (0.1 * standard.reduce((total, h) => total + gateNats(2, h), 0)) / standard.length;
      expect(compression.length).toBe(1);
      expect(compression[0]).toBeCloseTo(cost, 6);
      expect(fit[0]).toBeGreaterThan(0.5);
      expect(fit[0]).toBeLessThan(1);
    }
  });

  it('ignores the length of the target', async () => {
    const problem = toy();
    const [a] = await solve(problem);
    const [b] = await solve({
      ...problem,
      target: floats(
        problem.target!.shape,
        problem.target!.data.map(v => 37 * v),
      ),
    });
    expectClose(b.alpha, a.alpha, { rtol: 1e-3, atol: 1e-3 });
  });
});

describe('noise', () => {
  /** The noise of the last of `steps` steps (one buffer serves all), as the step saw it. */
  async function lastNoise(problem: GateProblem): Promise<Float32Array[]> {
    await using graph = await compileGate({ ...problem, standardised: false });
    const run = vi.spyOn(graph.step, 'run');
    await optimiseGate(problem, graph);
    const { noise } = run.mock.lastCall![0] as { noise: FloatTensor };
    expect(noise.shape).toEqual([problem.options.batchSize, TOKENS, WIDTH]);
    const size = TOKENS * WIDTH;
    return Array.from({ length: problem.options.batchSize }, (_, s) => noise.data.slice(s * size, (s + 1) * size));
  }

  it('comes from (seed, stream, step, sample), every second sample the opposite of the one before', async () => {
    const stream = new RandomStream(7, 'm2ib.image');
    for (const antithetic of [true, false]) {
      const samples = await lastNoise(toy({ seed: 7, options: { steps: 3, batchSize: 6, antithetic } }));
      for (const [s, sample] of samples.entries()) {
        if (antithetic && s % 2) expect(sample).toEqual(samples[s - 1].map(v => -v));
        else expect(sample).toEqual(stream.normals(2, s, new Float32Array(TOKENS * WIDTH)));
      }
      const sums = samples[0].map((_, i) => samples.reduce((total, sample) => total + sample[i], 0));
      expect(sums.every(v => v === 0)).toBe(antithetic);
    }
  });

  it('makes runs that are equal to the bit for equal seeds, and different for others', async () => {
    const problem = toy();
    const [first] = await solve(problem);
    expect(await solve(problem)).toEqual([first]);
    const [other] = await solve({ ...problem, seed: 2 });
    expect(other.information).not.toEqual(first.information);
  });

  it('stays out of quiet steps, which are one pass that says what any number of samples without noise would', async () => {
    const size = TOKENS * WIDTH;
    const stream = new RandomStream(1, 'm2ib.image');
    const seen: number[] = [];
    // The same steps with four samples each: zeros while it is quiet, then what the seed gives.
    const spelledOut = (step: number): FloatTensor => {
      seen.push(step);
      const data = new Float32Array(4 * size);
      if (step >= 6) {
        for (const s of [0, 2]) {
          const sample = stream.normals(step, s, data.subarray(s * size, (s + 1) * size));
          for (let i = 0; i < size; i++) data[(s + 1) * size + i] = -sample[i];
        }
      }
      return floats([4, TOKENS, WIDTH], data);
    };
    const options = { beta: 0.3 };
    const [quiet] = await solve(toy({ options: { ...options, quietSteps: 6 } }));
    const [expected] = await solve(toy({ options, noise: spelledOut }));
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expectClose(quiet.alpha, expected.alpha, { rtol: 1e-4, atol: 1e-4 });
    expectClose(quiet.fit, expected.fit, { rtol: 1e-5, atol: 1e-5 });
    const [noisy] = await solve(toy({ options }));
    expect(quiet.fit[5]).not.toBeCloseTo(noisy.fit[5], 4);
    // All of it quiet: no seed is in it.
    const silent = { options: { ...options, quietSteps: 10 } };
    expect(await solve(toy({ ...silent, seed: 2 }))).toEqual(await solve(toy(silent)));
  });

  it('is the given one where it is given', async () => {
    const steps: number[] = [];
    const given = (step: number): FloatTensor => {
      steps.push(step);
      return normals(`given.${step}`, [4, TOKENS, WIDTH]);
    };
    const [a] = await solve(toy({ noise: given }));
    const [b] = await solve(toy({ noise: given, seed: 99 }));
    expect(b.information).toEqual(a.information);
    expect(steps).toEqual([...Array(10).keys(), ...Array(10).keys()]);
  });
});

describe('the official read-out', () => {
  const options = { official: true, antithetic: false, batchSize: 10 };

  it('skips the gradient that goes nowhere, and reads what the traced run reads', async () => {
    const problem = toy({ options });
    await using graph = await compileGate({ ...problem, standardised: false });
    const forward = vi.spyOn(graph, 'forward');
    const step = vi.spyOn(graph.step, 'run');
    const [short] = await optimiseGate(problem, graph);
    expect([forward.mock.calls.length, step.mock.calls.length]).toEqual([1, 9]);
    const [traced] = await optimiseGate({ ...problem, trace: true }, graph);
    expect([forward.mock.calls.length, step.mock.calls.length]).toEqual([1, 19]);
    expect(short.information).toEqual(traced.information);
    expect(short.tokens).toEqual(traced.tokens);
    expectClose(short.fit, traced.fit, { rtol: 1e-6 });
    expectClose(short.compression, traced.compression, { rtol: 1e-6 });
    // α before the first and after each of ten steps; the cost is that before the last.
    expect(traced.alphas!.length).toBe(11);
    expect(traced.alphas![0]).toEqual(new Float32Array(TOKENS * WIDTH).fill(5));
    expectClose(
      traced.information,
      traced.alphas![9].map((a, i) => gateNats(a, problem.hidden.data[i])),
      { rtol: 1e-6 },
    );
    expect(traced.alphas![10]).toEqual(traced.alpha);
    expect(short.alphas).toBeUndefined();
  });

  it('differs from the right one by the last step', async () => {
    const right = toy({ options: { ...options, official: false } });
    const [before] = await solve({ ...right, options: { ...right.options, steps: 9 } });
    const [official] = await solve(toy({ options }));
    expectClose(official.information, before.information, { rtol: 1e-5 });
    expect((await solve(right))[0].information).not.toEqual(official.information);
  });

  it('is never clipped, the right one is', async () => {
    const large = { learningRate: 30, steps: 3 };
    const [official] = await solve(toy({ options: { ...options, ...large } }));
    const [right] = await solve(toy({ options: large }));
    expect(Math.max(...official.alpha.map(Math.abs))).toBeGreaterThan(13);
    expect(Math.max(...right.alpha.map(Math.abs))).toBe(12);
    expect(right.information.every(v => Number.isFinite(v) && v >= 0)).toBe(true);
  });
});

describe('control', () => {
  it('shows each step to who watches, which changes nothing', async () => {
    const [plain] = await solve(toy({}));
    const frames: (Omit<GateFrame, 'map'> & GateMap)[] = [];
    const onFrame = ({ map, ...frame }: GateFrame): void => void frames.push({ ...frame, ...map(0) });
    const [watched] = await solve(toy({ onFrame }));
    expect(watched).toEqual(plain);
    expect(frames.map(f => f.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(frames.flatMap(f => f.fit)).toEqual(plain.fit);
    expect(frames.flatMap(f => f.compression)).toEqual(plain.compression);
    expect(frames.at(-1)!.tokens).toEqual(plain.tokens);
    // A shorter run's map is the frame at its end.
    const [short] = await solve(toy({ options: { steps: 4 } }));
    expect(frames[3].information).toEqual(short.information);
    expect(frames[3].information).not.toEqual(plain.information);
  });

  it('reports each step, and stops at the signal with its reason', async () => {
    const steps: number[] = [];
    await solve(toy({ onStep: s => steps.push(s) }));
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const controller = new AbortController();
    const seen: number[] = [];
    const onStep = (s: number): void => {
      seen.push(s);
      if (s === 2) controller.abort(new Error('enough'));
    };
    await expect(solve(toy({ signal: controller.signal, onStep }))).rejects.toThrow('enough');
    expect(seen).toEqual([1, 2]);
  });
});

describe('several pairs', () => {
  it.each([false, true])('come out as each would by itself, in any order (own statistics: %s)', async perSample => {
    const hidden = normals('toy.three', [3, TOKENS, WIDTH]);
    const size = TOKENS * WIDTH;
    const statistics = perSample ? [0, 1, 2].map(p => sampleStatistics(hidden.data.subarray(p * size, (p + 1) * size), WIDTH)) : undefined;
    const problem = toy({ hidden, statistics });
    const all = await solve(problem);
    for (let p = 0; p < 3; p++) {
      const [single] = await solve(problemOf(problem, p));
      expectClose(all[p].information, single.information, { rtol: 1e-4, atol: 1e-5, label: `pair ${p}` });
      expectClose(all[p].fit, single.fit, { rtol: 1e-5, atol: 1e-6 });
      expectClose(all[p].compression, single.compression, { rtol: 1e-5, atol: 1e-6 });
    }
    expect(all[0].information).not.toEqual(all[1].information);
  });
});

describe('texts of clip-tiny', () => {
  const directory = fileURLToPath(new URL('../models/testdata/clip-tiny', import.meta.url));
  const [BOS, EOS] = [94, 95];
  const captions = [[5, 17, 40], [61, 2, 33, 8, 70, 12, 9], [50]].map(ids => [BOS, ...ids, EOS]);
  let model: CLIPModel;
  let target: FloatTensor;
  beforeAll(async () => {
    model = await CLIPModel.fromPretrained(directory, { runtime });
    const { tensors } = await openSafetensors(`${directory}/outputs.safetensors`);
    const pixels = tensors.get('pixel_values')!;
    const size = pixels.shape.slice(1).reduce((a, b) => a * b, 1);
    const image = floats([1, ...pixels.shape.slice(1)], (await readFloats(pixels)).slice(0, size));
    target = await model.imageFeatures(image);
  });
  afterAll(() => model.release());

  async function solveTexts(texts: readonly number[][], layer: number): Promise<GateResult[]> {
    const longest = Math.max(...texts.map(t => t.length));
    const shape = [texts.length, longest];
    const ids = ints(
      shape,
      texts.flatMap(t => [...t, ...Array(longest - t.length).fill(EOS)]),
    );
    const mask = ints(
      shape,
      texts.flatMap(t => [...t.map(() => 1), ...Array(longest - t.length).fill(0)]),
    );
    const inputs = model.textInputs(ids, mask);
    const { hidden } = await model.runTower(model.text, inputs, layer);
    const targets = floats(
      [texts.length, target.shape[1]],
      texts.flatMap(() => [...target.data]),
    );
    const lengths = texts.map(t => t.length);
    return solve({ runtime, tower: model.text, layer, hidden, inputs, target: targets, lengths, seed: 4, options: OPTIONS });
  }

  it.each([0, 1])('come out padded in a batch as by themselves, behind block %d', async layer => {
    const padded = await solveTexts(captions, layer);
    for (const [p, caption] of captions.entries()) {
      const [single] = await solveTexts([caption], layer);
      const n = caption.length;
      expectClose(padded[p].tokens.subarray(0, n), single.tokens, { rtol: 1e-3, atol: 1e-3, label: `caption ${p}` });
      expectClose(padded[p].compression, single.compression, { rtol: 1e-4, atol: 1e-5 });
      expectClose(padded[p].fit, single.fit, { rtol: 1e-4, atol: 1e-4 });
      // Padding costs nothing and is never touched.
      expect(padded[p].tokens.subarray(n).every(v => v === 0)).toBe(true);
      expect(padded[p].information.subarray(n * 24).every(v => v === 0)).toBe(true);
      expect(padded[p].alpha.subarray(n * 24).every(v => v === 5)).toBe(true);
      expect(single.tokens.every(v => v > 0)).toBe(true);
    }
  });
});
