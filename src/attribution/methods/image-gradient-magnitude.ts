/** @file A control: edge strength of the picture as the model sees it, which no model is needed for. */
import { z } from 'zod';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { patchSize } from '../../models/process-image.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { gradientMagnitude } from '../controls/controls.ts';
import { eachTower, type MethodEntry, type TowerJob } from '../method.ts';
import { row } from '../rows.ts';
import { patchTokens } from './centre-prior.ts';

const schema = z.strictObject({});

/** The patches that the tower sees of pair p, as a picture again. */
function seen(processor: DualEncoder['processor'], job: TowerJob, p: number): RgbImage {
  const { do_normalize, image_mean, image_std, do_rescale, rescale_factor } = processor.config;
  const [height, width] = job.grid!.map(n => n * patchSize(job.tower));
  const pixels = row(job.inputs.pixel_values as FloatTensor, p);
  const plane = job.size![0] * job.size![1];
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    const value = pixels[c * plane + Math.floor(pixel / width) * job.size![1] + (pixel % width)];
    const scaled = do_normalize ? value * image_std[c] + image_mean[c] : value;
    return Math.min(255, Math.max(0, Math.round(scaled / (do_rescale ? rescale_factor : 1))));
  });
  return { width, height, data };
}

/** The edge control: the strength of the picture's own gradients. */
export const imageGradientMagnitude: MethodEntry<z.infer<typeof schema>> = {
  name: 'image-gradient-magnitude',
  title: 'Edges',
  family: 'control',
  serves: 'pair',
  answers: {
    by: 'sides',
    unsupported: (_, { pixels }) =>
      pixels.shape[0] === 1 && pixels.shape.length === 4
        ? undefined
        : 'The edges are those of one picture of pixels, and this model cuts it into tiles; take another control.',
  },
  modalities: ['image'],
  schema,
  cost: 'none',
  paper: 'a control, as in Adebayo et al.: Sanity checks for saliency maps, NeurIPS 2018, arXiv 1810.03292',
  unit: 'score',
  signed: false,
  sampled: false,
  explain: run =>
    eachTower(run, async job =>
      job.scores.map((_, p) => ({ tokens: patchTokens(job, gradientMagnitude(seen(run.model.processor, job, p), job.grid!)) })),
    ),
};
