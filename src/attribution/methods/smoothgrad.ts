/**
 * @file SmoothGrad (Smilkov et al., 2017, arXiv 1706.03825): the gradient averaged over noisy copies of the input; also the mean of its
 * square, and its variance (VarGrad, Adebayo et al., ICLR workshop 2018, arXiv 1810.03307).
 */
import { z } from 'zod';
import { RandomStream } from '../../tensor/random.ts';
import { eachTower, type MethodEntry, type TokenMap } from '../method.ts';
import { GroupedMoments } from '../primitives/jackknife.ts';
import { pointGradients, stateOf } from '../primitives/point-gradients.ts';
import { sourceMap } from '../primitives/read-out.ts';
import { row } from '../rows.ts';
import { gradientReadOut } from './saliency.ts';

const schema = z.strictObject({
  nSamples: z.number().int().positive().max(100_000).default(50).describe('noisy copies of the input'),
  noise: z
    .number()
    .nonnegative()
    .default(0.15)
    .describe("deviation of the noise, as a share of the input's range (largest minus least value)"),
  type: z
    .enum(['smoothgrad', 'smoothgrad_sq', 'vargrad'])
    .default('smoothgrad')
    .describe('mean of the gradients, mean of their squares, or their variance'),
  ...gradientReadOut,
});
type Options = z.infer<typeof schema>;

/** SmoothGrad, its square and VarGrad, at the input. */
export const smoothGrad: MethodEntry<Options> = {
  name: 'smoothgrad',
  title: 'SmoothGrad',
  family: 'gradient',
  serves: 'pair',
  answers: { by: 'row' },
  modalities: ['image', 'text'],
  schema,
  cost: 'nSamples × (F + B)',
  paper: 'Smilkov, Thorat, Kim, Viégas, Wattenberg: SmoothGrad, 2017, arXiv 1706.03825',
  unit: 'score',
  signed: false,
  sampled: true,
  async explain(run, options) {
    const { nSamples, type } = options;
    run.plan(run.wanted.length * run.encoded.pairs.length * nSamples);
    return eachTower(run, async job => {
      const source = await stateOf(run, job, 'source');
      const size = row(source, 0).length;
      const width = size / job.tokens;
      // Padding has no part in the range: a pair's map must not depend on who else is in the batch.
      const deviations = job.lengths.map(
        (length, p) => options.noise * range(row(source, p).subarray(0, job.modality === 'text' ? length * width : size)),
      );
      const stream = new RandomStream(run.seed, `smoothgrad.${job.modality}`);
      const rule = job.modality === 'image' ? options.channels : options.textChannels;
      const maps: TokenMap[] = [];
      let moments: GroupedMoments;
      await pointGradients(run, job, 'source', source, {
        count: nSamples,
        fill(p, s, out) {
          stream.normals(0, s, out);
          const x = row(source, p);
          for (let i = 0; i < out.length; i++) out[i] = x[i] + deviations[p] * out[i];
        },
        take(_, s, gradient) {
          if (s === 0) moments = new GroupedMoments(size, nSamples, type !== 'smoothgrad');
          moments.add(gradient);
          if (s < nSamples - 1) return;
          const readOut = (m: ReturnType<GroupedMoments['moments']>) => sourceMap(job, statistic(m, type), rule);
          maps.push({ ...readOut(moments.moments()), standardError: moments.standardError(m => readOut(m).tokens) });
        },
      });
      if (!maps[0].standardError) run.warn(`${nSamples} samples are too few to estimate the standard error of SmoothGrad; take 3 or more.`);
      return maps;
    });
  },
};

/** Largest minus least value. */
function range(values: Float32Array): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return high - low;
}

function statistic({ mean, square, count }: ReturnType<GroupedMoments['moments']>, type: Options['type']): Float64Array {
  if (type === 'smoothgrad') return mean;
  if (type === 'smoothgrad_sq') return square!;
  // Unbiased; a single sample has no spread.
  return square!.map((v, i) => (count > 1 ? (Math.max(0, v - mean[i] ** 2) * count) / (count - 1) : 0));
}
