/** @file CLUB against golden values of the published code and cases whose answer is known. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { floats } from '../../tensor/tensor.ts';
import { type ClubEstimator, clubFromTensors, clubInformation, clubPredict, freshClub, mutualInformation } from './club-estimator.ts';
import { loadClub, saveClub } from './club-file.ts';
import { trainClub } from './club-train.ts';
import { goldenClub, goldenSet, goldenTensor, goldenTraining } from './testing/golden.ts';

const runtime = nodeRuntime({ threads: 1 });
const folder = await mkdtemp(join(tmpdir(), 'club-'));
afterAll(() => rm(folder, { recursive: true }));

/** Largest difference of an estimator's weights to the golden ones, relative to the largest weight of the tensor. */
function apart({ parameters }: ClubEstimator, stage: string): number {
  return Math.max(
    ...parameters.map(({ name, data }) => {
      const wanted = goldenTensor(`club.${stage}.${name}`);
      const largest = Math.max(...wanted.data.map(Math.abs));
      return Math.max(...data.map((v, i) => Math.abs(v - wanted.data[i]))) / largest;
    }),
  );
}

describe('CLUB equals the published code', () => {
  it('in the gradients of the first step, and the weights after 1, 10 and 300 Adam steps', async () => {
    const estimator = goldenClub('start');
    const { z, y, losses } = goldenTraining();
    let steps = 0;
    const onStep = (step: number, loss: number, gradients: ReadonlyMap<string, Float32Array>): void => {
      steps++;
      const golden = losses.get(step);
      if (golden !== undefined) expect(Math.abs(loss - golden) / Math.max(1, Math.abs(golden))).toBeLessThan(1e-5);
      if (step === 0)
        for (const [name, gradient] of gradients) {
          const wanted = goldenTensor(`club.gradient0.${name}`).data;
          const largest = Math.max(...wanted.map(Math.abs));
          expect(Math.max(...gradient.map((v, i) => Math.abs(v - wanted[i]))) / largest, name).toBeLessThan(1e-5);
        }
      if (step === 1) expect(apart(estimator, 'after1')).toBeLessThan(1e-5);
      if (step === 10) expect(apart(estimator, 'after10')).toBeLessThan(1e-5);
    };
    await trainClub(runtime, estimator, z, y, { steps: 300, onStep });
    expect(steps).toBe(300);
    expect(apart(estimator, 'after300')).toBeLessThan(1e-4);
    // Not vacuous: the stages are far from each other.
    expect(apart(estimator, 'after10')).toBeGreaterThan(0.1);
  });

  it('in mutual information, in either form', async () => {
    const estimator = goldenClub('after300');
    const { visual, text, y, yHat, expected } = goldenSet('source');
    // Golden embeddings were joined in float32, and not brought to length 1 again.
    const z = visual.map((row, i) => row.map((v, k) => (v + text[i][k]) / 2));
    for (const form of ['closed', 'pairs'] as const) {
      expect(await mutualInformation(runtime, estimator, z, yHat, form)).toBeCloseTo(expected.float64.mi_model, 12);
      expect(await mutualInformation(runtime, estimator, z, y, form)).toBeCloseTo(expected.float64.mi_reference, 12);
    }
  });
});

/** z and y = a·z + √(1 - a²)·noise, so that each dimension has -½ ln(1 - a²) nats. */
function linked(n: number, width: number, a: number, seed: number): { z: Float32Array[]; y: Float32Array[] } {
  const random = new RandomStream(seed, 'club-test');
  const z = Array.from({ length: n }, (_, i) => random.normals(0, i, new Float32Array(width)));
  const y = z.map((row, i) => {
    const noise = random.normals(1, i, new Float32Array(width));
    return row.map((v, k) => a * v + Math.sqrt(1 - a * a) * noise[k]);
  });
  return { z, y };
}

describe('CLUB where the answer is known', () => {
  it('with the true q is a² / (1 - a²) per dimension of joint normals, never below their information, and 0 for independence', async () => {
    for (const a of [0, 0.3, 0.6]) {
      const { z, y } = linked(20_000, 2, a, 3);
      const logvar = z.map(() => new Float64Array(2).fill(Math.log(1 - a * a)));
      const mu = z.map(row => row.map(v => a * v));
      // E (y' - μ)² is 1 + a², E (y - μ)² is 1 - a², over 2 (1 - a²); two dimensions.
      const exact = (2 * a * a) / (1 - a * a);
      const got = mean(await clubInformation(runtime, { mu, logvar }, y));
      expect(Math.abs(got - exact)).toBeLessThan(0.03);
      expect(exact).toBeGreaterThanOrEqual(-Math.log(1 - a * a));
    }
  });

  it('learns: independent pairs give about 0 on new pairs, linked ones much more', async () => {
    const value = async (a: number): Promise<number> => {
      const { z, y } = linked(800, 2, a, 5);
      const estimator = freshClub({ input: 2, output: 2, units: 8 }, 1);
      await trainClub(runtime, estimator, z, y, { steps: 400, learningRate: 0.01, batchSize: 256 });
      const fresh = linked(800, 2, a, 6);
      return mutualInformation(runtime, estimator, fresh.z, fresh.y);
    };
    expect(Math.abs(await value(0))).toBeLessThan(0.05);
    expect(await value(0.7)).toBeGreaterThan(0.6);
  });

  it('starts within the bounds of its layers, by seed', () => {
    const sizes = { input: 100, output: 30, units: 25 };
    const of = (name: string, seed = 0) => freshClub(sizes, seed).parameters.find(p => p.name === name)!.data;
    const [first, second] = [of('p_mu.0.weight').map(Math.abs), of('p_logvar.2.bias').map(Math.abs)];
    expect(Math.max(...first)).toBeGreaterThan(0.099);
    expect(Math.max(...first)).toBeLessThan(0.1);
    expect(Math.max(...second)).toBeLessThan(0.2);
    expect(Math.max(...second)).toBeGreaterThan(0.15);
    const words = new RandomStream(0, 'init.club.p_mu.0.weight').words(0, 0, new Uint32Array(2500));
    expect(freshClub(sizes).parameters[0].data).toEqual(Float32Array.from(words, w => (2 * ((w + 0.5) / 2 ** 32) - 1) / 10));
    // Both signs alike: 2500 values of deviation 0.1/√3 have a mean within 0.004.
    expect(Math.abs(mean(of('p_mu.0.weight')))).toBeLessThan(0.004);
    expect(Math.min(...of('p_mu.0.weight'))).toBeLessThan(-0.099);
    expect(of('p_mu.0.weight', 1)).not.toEqual(of('p_mu.0.weight'));
  });
});

describe('estimators in files', () => {
  it('come back bit for bit, under the published names', async () => {
    const path = join(folder, 'club.safetensors');
    const estimator = goldenClub('after300');
    await saveClub(path, estimator, { encoder: 'a tower' });
    const { estimator: back, about } = await loadClub(path);
    expect(back).toEqual(estimator);
    expect(about).toMatchObject({ encoder: 'a tower' });
    const file = await openSafetensors(path);
    expect([...file.tensors.keys()].sort()).toContain('p_logvar.2.bias');
    expect(await readFloats(file.tensors.get('p_mu.0.bias')!)).toEqual(estimator.parameters[1].data);
  });

  it('that are none are refused in a sentence', async () => {
    const path = join(folder, 'other.safetensors');
    await writeSafetensors(path, { w: floats([1], [1]) });
    await expect(loadClub(path)).rejects.toThrow(/other\.safetensors has no tensor "p_mu\.0\.weight"/);
    const tensors = new Map(goldenClub('start').parameters.map(p => [p.name, floats(p.shape, p.data)]));
    tensors.set('p_logvar.2.bias', floats([3], [0, 0, 0]));
    expect(() => clubFromTensors(tensors, 'x')).toThrow('The tensor "p_logvar.2.bias" of x has shape [3], but the others ask for [24].');
    const units = tensors.get('p_mu.0.weight')!.shape[0];
    const flat = new Map([...tensors, ['p_mu.0.weight', floats([], [0])] as const]);
    expect(() => clubFromTensors(flat, 'x')).toThrow('The tensor "p_mu.0.weight" of x has shape [], but the others ask for [0, 0].');
    tensors.set('p_mu.2.weight', floats([], [0]));
    expect(() => clubFromTensors(tensors, 'x')).toThrow(
      `The tensor "p_mu.2.weight" of x has shape [], but the others ask for [0, ${units}].`,
    );
  });
});

describe('refusals', () => {
  const sizes = { input: 2, output: 2, units: 3 };
  const estimator = freshClub(sizes);
  it.each([
    ['no pairs', [], [], /z has no rows/],
    ['unequal numbers', [[1, 2]], [], /1 rows of z and 0 of y/],
    [
      'ragged rows',
      [[1, 2], [1]],
      [
        [1, 2],
        [1, 2],
      ],
      /Row 1 of z has 1 values, the first has 2/,
    ],
    ['another width', [[1]], [[1, 2]], /takes widths 2 and 2, but the pairs have 1 and 2/],
    ['not finite', [[1, Number.NaN]], [[1, 2]], /Row 0 of z has values that are not finite/],
  ])('training on %s', async (_, z, y, message) => {
    await expect(trainClub(runtime, estimator, z, y, { steps: 1 })).rejects.toThrow(message);
  });

  it('a rate that explodes, another width to predict from, y that does not fit', async () => {
    const { z, y } = linked(8, 2, 0, 1);
    await expect(trainClub(runtime, freshClub(sizes), z, y, { steps: 50, learningRate: 1e30 })).rejects.toThrow(/lower the learning rate/);
    await expect(clubPredict(runtime, estimator, [[1, 2, 3]])).rejects.toThrow(/width 2, not 3/);
    const prediction = await clubPredict(runtime, estimator, z);
    await expect(clubInformation(runtime, prediction, y.slice(1))).rejects.toThrow(/8 rows of width 2, but y has 7 of width 2/);
    await expect(trainClub(runtime, estimator, z, y, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
