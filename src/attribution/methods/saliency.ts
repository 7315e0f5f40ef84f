/** @file Saliency: the target's gradient at the input (Simonyan, Vedaldi, Zisserman, ICLR workshop 2014, arXiv 1312.6034). */
import { z } from 'zod';
import { floats } from '../../tensor/tensor.ts';
import { eachTower, type MethodEntry, type TowerJob } from '../method.ts';
import { type GradientRun, pointGradients, stateOf } from '../primitives/point-gradients.ts';
import { CHANNELS, sourceMap } from '../primitives/read-out.ts';
import { row } from '../rows.ts';

/** How a gradient becomes one value per pixel or token; shared with SmoothGrad. */
export const gradientReadOut = {
  channels: z
    .enum(CHANNELS)
    .default('max')
    .describe('one value per pixel out of its channels: max or sum (abs) of magnitudes, Euclidean norm, or signed sum'),
  // No signed sum: norms subtract a token's mean, so that the gradient of its channels sums to zero.
  textChannels: z.enum(['abs', 'max', 'norm']).default('norm').describe("the same for a token's embedding"),
};

const schema = z.strictObject(gradientReadOut);

/** Gradients of the target at the source of every pair, [P, 3, H, W] or [P, T, D]. */
export async function sourceGradients(run: GradientRun, job: TowerJob) {
  const source = await stateOf(run, job, 'source');
  const gradients = floats(source.shape, new Float32Array(source.data.length));
  await pointGradients(run, job, 'source', source, {
    count: 1,
    fill: (p, _, out) => out.set(row(source, p)),
    take: (p, _, gradient) => row(gradients, p).set(gradient),
  });
  return { source, gradients };
}

/** Saliency: the gradient at the input. */
export const saliency: MethodEntry<z.infer<typeof schema>> = {
  name: 'saliency',
  title: 'Saliency',
  family: 'gradient',
  serves: 'pair',
  answers: { by: 'row' },
  modalities: ['image', 'text'],
  schema,
  cost: 'F + B',
  paper: 'Simonyan, Vedaldi, Zisserman: Deep inside convolutional networks, ICLR workshop 2014, arXiv 1312.6034',
  unit: 'score',
  signed: false,
  sampled: false,
  async explain(run, options) {
    run.plan(run.wanted.length * run.encoded.pairs.length);
    return eachTower(run, async job => {
      const { gradients } = await sourceGradients(run, job);
      const rule = job.modality === 'image' ? options.channels : options.textChannels;
      return job.scores.map((_, p) => sourceMap(job, row(gradients, p), rule));
    });
  },
};
