/**
 * @file Expected gradients (Erion et al., Nature Machine Intelligence 2021, arXiv 1906.10670): integrated gradients averaged over baselines
 * that are drawn at random (see references.ts), one point of one path per sample.
 */
import { z } from 'zod';
import { RandomStream } from '../../tensor/random.ts';
import { eachTower, type MethodEntry, type TokenMap } from '../method.ts';
import { GroupedMoments } from '../primitives/jackknife.ts';
import { pointGradients, sourceOf, stateOf } from '../primitives/point-gradients.ts';
import { sourceMap } from '../primitives/read-out.ts';
import { IMAGE_REFERENCES, imageReferences, textReferences } from '../primitives/references.ts';
import { row, stackInputs } from '../rows.ts';
import { scoreFeatures } from '../target.ts';

const schema = z.strictObject({
  nSamples: z.number().int().positive().max(100_000).default(50).describe('baselines drawn, each with one point on its path'),
  references: z
    .enum(IMAGE_REFERENCES)
    .default('pixels')
    .describe(
      "an image's baselines: its own pixels drawn anew, its patches shuffled, or other images of the batch; a caption's: random words between its ends",
    ),
});

/** Points of one run of the gradient, about. */
const TOGETHER = 8;

/** Expected gradients: integrated gradients over drawn baselines, one point of the path each. */
export const expectedGradients: MethodEntry<z.infer<typeof schema>> = {
  name: 'expected-gradients',
  title: 'Expected gradients',
  family: 'gradient',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  cost: 'nSamples × (2F + B)',
  paper: 'Erion et al.: Improving performance of deep learning models with axiomatic attribution priors, 2021, arXiv 1906.10670',
  unit: 'score',
  signed: true,
  sampled: true,
  async explain(run, { nSamples, references }) {
    run.plan(run.wanted.length * run.encoded.pairs.length * nSamples);
    return eachTower(run, async job => {
      const { model, seed } = run;
      const draw = job.modality === 'image' ? imageReferences(job, references, seed) : textReferences(model, job, seed);
      const source = await stateOf(run, job, 'source');
      const size = row(source, 0).length;
      const pairs = job.scores.length;
      const stream = new RandomStream(seed, `expected-gradients.path.${job.modality}`);
      const moments = job.scores.map(() => new GroupedMoments(size, nSamples, false));
      const baselineScores = new Float64Array(pairs);
      const distance = new Float32Array(size);
      const together = Math.max(1, Math.floor(TOGETHER / pairs));
      for (let from = 0; from < nSamples; from += together) {
        const count = Math.min(together, nSamples - from);
        // Sample i of pair p is row i · pairs + p.
        const inputs = stackInputs(Array.from({ length: count }, (_, i) => draw(from + i)));
        const baselines = await sourceOf(run, job, inputs);
        const { features } = await model.runTower(job.tower, inputs, job.layer);
        for (let r = 0; r < count * pairs; r++)
          baselineScores[r % pairs] += scoreFeatures(job.target, r % pairs, row(features, r)) / nSamples;
        run.passes(job.modality, count * pairs, job.tower.layers);
        // One point in each of n strata of the path; groups of the jackknife take every tenth, and so are stratified too.
        const places = Array.from({ length: count }, (_, i) => (from + i + stream.reader(0, from + i).uniform()) / nSamples);
        await pointGradients(run, job, 'source', source, {
          count,
          fill(p, i, out) {
            const [x, base] = [row(source, p), row(baselines, i * pairs + p)];
            for (let k = 0; k < size; k++) out[k] = base[k] + places[i] * (x[k] - base[k]);
          },
          take(p, i, gradient) {
            const [x, base] = [row(source, p), row(baselines, i * pairs + p)];
            for (let k = 0; k < size; k++) distance[k] = x[k] - base[k];
            moments[p].add(gradient, distance);
          },
        });
      }
      const maps = moments.map((sums, p): TokenMap => {
        const { mean } = sums.moments();
        const standardError = sums.standardError(m => sourceMap(job, m.mean).tokens);
        return { ...sourceMap(job, mean), standardError, convergenceDelta: total(mean) - (job.scores[p] - baselineScores[p]) };
      });
      if (!maps[0].standardError)
        run.warn(`${nSamples} samples are too few to estimate the standard error of expected gradients; take 3 or more.`);
      return maps;
    });
  },
};

const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
