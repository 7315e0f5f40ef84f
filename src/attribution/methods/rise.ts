/**
 * @file RISE (Petsiuk, Das, Saenko, BMVC 2018). By default with the centred estimator on masks of whole patches: a cosine hardly varies, so
 * the published sum Σ f·M shows how often a pixel was covered more than what it does. The published form is an option.
 */
import { z } from 'zod';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import { type RandomReader, RandomStream } from '../../tensor/random.ts';
import { eachTower, type MethodEntry, type MethodMaps, type MethodRun, type TokenMap, type TowerJob } from '../method.ts';
import { ClusterSums, rise as estimate } from '../perturbation/estimators/rise.ts';
import { explainGames, perturbationShape, warnNoise } from '../perturbation/explain.ts';
import { scoresOf } from '../perturbation/games.ts';
import { Perturbation } from '../perturbation/perturbation.ts';
import { patchSums } from '../primitives/read-out.ts';

const schema = z.strictObject({
  samples: z.number().int().min(4).default(2000).describe('masks'),
  p: z.number().gt(0).lt(1).default(0.5).describe('probability that a cell of a mask shows the image'),
  published: z.boolean().default(false).describe('the published form: smooth masks over pixels with a random shift, not centred'),
  cells: z.number().int().positive().default(8).describe('cells per side of a published mask'),
  ...perturbationShape,
});
type RiseOptions = z.infer<typeof schema>;

/** RISE: scores of randomly masked inputs, averaged per patch or word. */
export const rise: MethodEntry<RiseOptions> = {
  name: 'rise',
  title: 'RISE',
  family: 'perturbation',
  serves: 'pair',
  answers: {
    by: 'sides',
    unsupported: ({ published }) =>
      published ? 'The published form of RISE, with smooth masks, explains pairs only; leave --published out for an answer.' : undefined,
  },
  modalities: ['image', 'text'],
  schema,
  cost: 'samples × F',
  paper: 'Petsiuk, Das, Saenko: RISE: Randomized input sampling for explanation of black-box models, BMVC 2018, arXiv 1806.07421',
  unit: 'score',
  signed: true,
  sampled: true,
  async explain(run, options) {
    const byGames = (part: MethodRun): Promise<MethodMaps> =>
      explainGames(
        part,
        'rise',
        options,
        () => options.samples,
        game => estimate(game, { ...options, seed: run.seed }),
      );
    if (!options.published || !run.wanted.includes('image')) return byGames(run);
    const image = await eachTower({ ...run, wanted: ['image'] }, job => published(run, job, options));
    return run.wanted.includes('text') ? { ...image, ...(await byGames({ ...run, wanted: ['text'] })) } : image;
  },
};

/**
 * A published mask: cells drawn with probability p, enlarged bilinearly by one cell more than the image is long, cut out at random.
 * @returns [H·W]
 */
export function smoothMask(reader: RandomReader, cells: number, p: number, [height, width]: readonly [number, number]): Float32Array {
  const grid = Float32Array.from({ length: cells * cells }, () => (reader.uniform() < p ? 1 : 0));
  const [tall, wide] = [Math.ceil(height / cells), Math.ceil(width / cells)];
  const [top, left] = [reader.integer(tall), reader.integer(wide)];
  const [rows, columns] = [(cells + 1) * tall, (cells + 1) * wide];
  const large = upsampleBilinear(grid, [cells, cells], [rows, columns]);
  const out = new Float32Array(height * width);
  for (let y = 0; y < height; y++) out.set(large.subarray((y + top) * columns + left, (y + top) * columns + left + width), y * width);
  return out;
}

/** S = Σ f·M / (N·p) per pixel, for all pairs; each mask is made twice rather than kept. */
async function published(run: MethodRun, job: TowerJob, options: RiseOptions): Promise<TokenMap[]> {
  const { samples, p, cells } = options;
  if (options.removal === 'drop') run.warn('Published RISE has soft masks, which cannot drop patches: the mean colour is used instead.');
  const removal = options.removal === 'blur' ? 'blur' : 'mean';
  const size = job.size!;
  const stream = new RandomStream(run.seed, 'rise.published');
  const mask = (m: number): Float32Array => smoothMask(stream.reader(0, m), cells, p, size);
  const engine = new Perturbation(run);
  const pairs = run.encoded.pairs.map((_, i) => i);
  run.plan(pairs.length * samples);
  const scores: Float64Array[] = [];
  for (const i of pairs) {
    const name = `${run.seed}:${cells}:${p}`;
    scores.push(scoresOf(job.target, i, await engine.softImageFeatures(i, { name, count: samples, mask }, removal)));
  }
  const pixels = pairs.map(() => new Float64Array(size[0] * size[1]));
  const sums = pairs.map(() => Array.from({ length: job.tokens }, () => new ClusterSums()));
  for (let m = 0; m < samples; m++) {
    const pixelMask = mask(m);
    const shown = patchSums(job, pixelMask);
    for (const i of pairs) {
      const weight = scores[i][m] / (samples * p);
      for (let at = 0; at < pixelMask.length; at++) pixels[i][at] += weight * pixelMask[at];
      for (let k = 0; k < job.tokens; k++) sums[i][k].add(weight * shown[k]);
    }
  }
  return pairs.map(i => {
    const tokens = Float64Array.from(sums[i], s => s.sum);
    const standardError = Float64Array.from(sums[i], s => s.errorOfSum());
    const estimate = { values: tokens.slice(job.tower.prefixTokens), standardError: standardError.slice(job.tower.prefixTokens), samples };
    warnNoise(run, 'rise', job, estimate);
    return { tokens: Float32Array.from(tokens), standardError: Float32Array.from(standardError), pixels: Float32Array.from(pixels[i]) };
  });
}
