import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, input } from '../../graph/index.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { mean, standardDeviation } from '../../tensor/statistics/descriptive.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { tensorRun } from '../../verify/tensor-run.ts';
import type { Attributor } from '../attributor.ts';
import { encodeTargets } from '../encode-target.ts';
import type { MethodRun, TowerJob } from '../method.ts';
import { encodePairs } from '../pair.ts';
import { integratePath } from '../primitives/path.ts';
import { type Place, pointGradients, sourceOf, stateOf } from '../primitives/point-gradients.ts';
import { quadrature } from '../primitives/quadrature.ts';
import { tokenValues } from '../primitives/read-out.ts';
import { textReferences } from '../primitives/references.ts';
import { createMethod, findMethod } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { row } from '../rows.ts';
import { scoreFeatures } from '../target.ts';
import { PAIRS, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';
import { towerJob } from '../tower-job.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
const made: Attributor[] = [];
const runs: { release(): Promise<void> }[] = [];
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  for (const one of [...made, ...runs]) await one.release();
  await model.release();
  await model.remove();
});

function method(name: string, options: Record<string, unknown> = {}): Attributor {
  const one = createMethod(findMethod(name)!, model, options);
  made.push(one);
  return one;
}

const tokens = (a: Attribution, m: Modality): ArrayLike<number> => (m === 'image' ? a.image!.tokens : textValues(a));

describe.each([
  ['smoothgrad', {}],
  ['smoothgrad', { type: 'smoothgrad_sq' }],
  ['smoothgrad', { type: 'vargrad' }],
  ['expected-gradients', {}],
])('the standard error of %s %o', (name, options) => {
  it('shrinks as 1/√n', async () => {
    for (const m of ['image', 'text'] as const) {
      const errors: number[] = [];
      for (const nSamples of [40, 640]) {
        const { [m]: map } = await method(name, { ...options, nSamples }).attribute(PAIRS[1], { modality: m });
        errors.push(mean(map!.standardError!));
      }
      // 16 times the samples; strata may do better.
      expect(errors[0] / errors[1], m).toBeGreaterThan(2.8);
      expect(errors[0] / errors[1], m).toBeLessThan(name === 'smoothgrad' ? 5.7 : 16);
    }
  });

  it('is how maps scatter over seeds', async () => {
    const tested = method(name, { ...options, nSamples: 40 });
    for (const m of ['image', 'text'] as const) {
      const all: Attribution[] = [];
      for (let seed = 0; seed < 30; seed++) all.push(await tested.attribute(PAIRS[1], { modality: m, seed }));
      const count = tokens(all[0], m).length;
      const scatter = Array.from({ length: count }, (_, i) => standardDeviation(all.map(a => tokens(a, m)[i])));
      const reported = Array.from({ length: count }, (_, i) => mean(all.map(a => a[m]!.standardError![i])));
      expect(mean(reported) / mean(scatter), m).toBeGreaterThan(0.75);
      expect(mean(reported) / mean(scatter), m).toBeLessThan(1.35);
    }
  });
});

describe('smoothgrad', () => {
  it('without noise is the gradient, its square, and no variance', async () => {
    const plain = await method('saliency').attribute(PAIRS[0]);
    const still = (type: string) => method('smoothgrad', { noise: 0, nSamples: 4, type }).attribute(PAIRS[0]);
    const smooth = await still('smoothgrad');
    expectClose(smooth.image!.pixels!.values, plain.image!.pixels!.values, { rtol: 1e-4, atol: 1e-7 });
    expectClose(textValues(smooth), textValues(plain), { rtol: 1e-4, atol: 1e-7 });
    expectClose(
      (await still('smoothgrad_sq')).image!.pixels!.values,
      plain.image!.pixels!.values.map(v => v * v),
      { rtol: 1e-3, atol: 1e-9 },
    );
    const peak = Math.max(...plain.image!.pixels!.values) ** 2;
    expect(Math.max(...(await still('vargrad')).image!.pixels!.values)).toBeLessThan(1e-5 * peak);
  });

  it('warns where samples are too few for a standard error, and gives none', async () => {
    const warnings: string[] = [];
    const { image } = await method('smoothgrad', { nSamples: 2 }).attribute(PAIRS[0], {
      modality: 'image',
      onWarning: w => warnings.push(w),
    });
    expect(image!.standardError).toBeUndefined();
    expect(warnings).toEqual(['2 samples are too few to estimate the standard error of SmoothGrad; take 3 or more.']);
  });
});

describe('expected gradients', () => {
  it('are the mean of integrated gradients over their baselines', async () => {
    const encoded = await encodePairs(model, [PAIRS[1]], { image: -1, text: -1 });
    const run = await tensorRun(
      model,
      {
        pixelValues: encoded.image.inputs.pixel_values as FloatTensor,
        inputIds: encoded.text.batch.inputIds,
        attentionMask: encoded.text.batch.attentionMask,
      },
      { image: -1, text: -1 },
    );
    runs.push(run);
    const source = await stateOf(run, run.text, 'source');
    const draw = textReferences(model, run.text, 77);
    const exact = new Float64Array(run.text.tokens);
    const baselines = 200;
    for (let s = 0; s < baselines; s++) {
      const baseline = await sourceOf(run, run.text, draw(s));
      const { values } = await integratePath(run, run.text, 'source', source, baseline, quadrature('gauss-legendre', 6));
      tokenValues(values.data, run.text.tokens).forEach((v, n) => {
        exact[n] += v / baselines;
      });
    }
    const { text } = await method('expected-gradients', { nSamples: 800 }).attribute(PAIRS[1], { modality: 'text' });
    const error = Math.max(...text!.standardError!);
    expectClose(textValues({ text } as Attribution), exact, { rtol: 0, atol: 8 * error });
    expect(error).toBeLessThan(0.2 * Math.max(...exact.map(Math.abs)));
    expect(Math.abs(text!.convergenceDelta!)).toBeLessThan(0.05);
  });

  it('of several pairs at once are those of each by itself, deltas too', async () => {
    const expected = method('expected-gradients', { nSamples: 11 });
    const all = await expected.attributeAll(PAIRS, { seed: 4 });
    for (const [p, pair] of PAIRS.entries()) {
      const one = await expected.attribute(pair, { seed: 4 });
      for (const m of ['image', 'text'] as const) {
        expectClose(tokens(all[p], m), tokens(one, m), { rtol: 1e-3, atol: 1e-6 });
        expect(Math.abs(all[p][m]!.convergenceDelta! - one[m]!.convergenceDelta!), m).toBeLessThan(1e-5);
        expect(Math.abs(one[m]!.convergenceDelta!), m).toBeGreaterThan(1e-5);
      }
    }
  });

  it('refuse references from a batch of one, and take them from a batch of more', async () => {
    const tested = method('expected-gradients', { references: 'batch', nSamples: 8 });
    await expect(tested.attribute(PAIRS[0], { modality: 'image' })).rejects.toThrow(/need at least two images/);
    const [first] = await tested.attributeAll(PAIRS, { modality: 'image' });
    expect(first.image!.patches.some(v => v !== 0)).toBe(true);
    const patches = await method('expected-gradients', { references: 'patches', nSamples: 8 }).attribute(PAIRS[0], { modality: 'image' });
    expect(patches.image!.patches).not.toEqual(first.image!.patches);
  });
});

/** A run and jobs for pairs, with any target. */
async function jobs(target: Parameters<typeof encodeTargets>[2]): Promise<{ run: MethodRun; image: TowerJob; text: TowerJob }> {
  const layers = { image: 1, text: 0 };
  const encoded = await encodePairs(model, PAIRS, layers);
  const targets = await encodeTargets(model, encoded, target);
  const { pixel_values } = encoded.image.inputs;
  const run = await tensorRun(model, { pixelValues: pixel_values as FloatTensor, inputIds: encoded.text.batch.inputIds }, layers);
  runs.push(run);
  return {
    run,
    image: towerJob(model, encoded, 'image', 1, targets.image),
    text: towerJob(model, encoded, 'text', 0, targets.text),
  };
}

describe('gradients', () => {
  /** Features with another value in the place of a state. */
  async function featuresAt(job: TowerJob, place: Place, state: FloatTensor): Promise<FloatTensor> {
    const { tower, inputs } = job;
    const point = input('point', ['batch', ...(job.modality === 'text' ? ['seq', state.shape[2]] : state.shape.slice(1))]);
    const hidden = place === 'source' ? tower.embed(point, inputs) : point;
    await using graph = await compile(model.runtime, { features: tower.suffix(place === 'source' ? -1 : job.layer, hidden, 1, inputs) });
    return (await graph.run({ ...tower.suffixFeeds(inputs), point: state })).features as FloatTensor;
  }

  it.each([
    ['image', 'source', { labels: ['a red dog', 'two cat on the house'] }],
    ['image', 'hidden', { labels: ['a red dog', 'two cat on the house'] }],
    ['image', 'hidden', { against: 'a blue tree' }],
    ['text', 'source', {}],
    ['text', 'hidden', {}],
  ] as const)('are the slope of the target along a direction: %s, %s, %o', async (modality, place, target) => {
    const all = await jobs(target);
    const job = all[modality];
    const state = await stateOf(all.run, job, place);
    const gradients = floats(state.shape, new Float32Array(state.data.length));
    await pointGradients(all.run, job, place, state, {
      count: 1,
      fill: (p, _, out) => out.set(row(state, p)),
      take(p, _, gradient, score) {
        row(gradients, p).set(gradient);
        expect(score).toBeCloseTo(job.scores[p], 4);
      },
    });
    // Along the gradient itself, where the slope is the steepest.
    const largest = Math.max(...gradients.data.map(Math.abs));
    const step = 0.02 / largest;
    const moved = async (sign: number): Promise<FloatTensor> =>
      featuresAt(
        job,
        place,
        floats(
          state.shape,
          state.data.map((v, i) => v + (sign * step * gradients.data[i]) / 2),
        ),
      );
    const [up, down] = [await moved(1), await moved(-1)];
    for (const p of job.scores.keys()) {
      const rise = scoreFeatures(job.target, p, row(up, p)) - scoreFeatures(job.target, p, row(down, p));
      const squares = row(gradients, p).reduce((sum, g) => sum + g * g, 0);
      expect(rise / (step * squares)).toBeGreaterThan(0.97);
      expect(rise / (step * squares)).toBeLessThan(1.03);
    }
  });
});
