/**
 * @file IBA, the per-sample bottleneck (Schulz et al., "Restricting the flow", ICLR 2020, arXiv 2001.00396), with the cosine in place of the
 * cross-entropy: noise from the statistics of a data set, λ smoothed by a Gaussian over neighbouring patches.
 */

import { z } from 'zod';
import { fileIn } from '../../system/model-files.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { loadStatistics, STATISTICS_FILE } from '../feature-statistics.ts';
import { eachTower, type MethodEntry, type MethodRun, type TowerJob } from '../method.ts';
import { parseOptions } from '../options.ts';
import { datasetStatistics, explainByGate, gateLayers, planGates } from '../primitives/gate.ts';
import { m2ibSchema, withSettle } from './m2ib.ts';

const schema = m2ibSchema.pick({ layer: true, textLayer: true, antithetic: true, learningRateSchedule: true, settle: true }).extend({
  steps: z.number().int().positive().default(10).describe('optimisation steps'),
  learningRate: z.number().positive().default(1).describe("Adam's learning rate on alpha"),
  beta: z
    .number()
    .nonnegative()
    .default(0.1)
    .describe(
      "weight of the information cost for the image map; IBA's 10 stands against a cross-entropy of logits, a hundred times a cosine",
    ),
  textBeta: z.number().nonnegative().default(0.1).describe('the same for the text map'),
  batchSize: z.number().int().positive().default(10).describe('noise samples per step'),
  sigma: z
    .number()
    .nonnegative()
    .default(1)
    .describe('standard deviation of the smoothing of λ, in patches; 0: none. Captions are not smoothed'),
});
type Options = z.infer<typeof schema>;

/** A Gaussian over the patch grid as a row-stochastic matrix [N, N]; prefix tokens keep to themselves. The kernel ends at two deviations, as IBA's. */
export function gridSmoothing([rows, columns]: readonly [number, number], prefix: number, sigma: number): FloatTensor {
  const n = prefix + rows * columns;
  const radius = Math.round(2 * sigma);
  const data = new Float32Array(n * n);
  for (let i = 0; i < prefix; i++) data[i * n + i] = 1;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const at = (prefix + r * columns + c) * n;
      let total = 0;
      for (let y = Math.max(0, r - radius); y <= Math.min(rows - 1, r + radius); y++)
        for (let x = Math.max(0, c - radius); x <= Math.min(columns - 1, c + radius); x++) {
          const weight = Math.exp(-((y - r) ** 2 + (x - c) ** 2) / (2 * sigma * sigma));
          data[at + prefix + y * columns + x] = weight;
          total += weight;
        }
      for (let j = prefix; j < n; j++) data[at + j] /= total;
    }
  return floats([n, n], data);
}

const smoothingOf = (job: TowerJob, sigma: number): FloatTensor | undefined =>
  job.grid && sigma > 0 ? gridSmoothing(job.grid, job.tower.prefixTokens, sigma) : undefined;

/** The data set's statistics; without the file, the sample's own and a warning. */
async function statisticsOf(run: MethodRun) {
  const source = { files: run.model.files, file: STATISTICS_FILE };
  const layers = { image: run.image.layer, text: run.text.layer };
  const there = await loadStatistics(source, layers).catch(() => undefined);
  if (there) return datasetStatistics(run);
  run.warn(
    `${fileIn(source.files, source.file)} is not there or lacks these layers: IBA's noise has the statistics of the pair itself instead of a data set's.`,
  );
  return undefined;
}

/** IBA: the per-sample bottleneck with noise from the statistics of a data set. */
export const iba: MethodEntry<Options> = {
  name: 'iba',
  title: 'IBA',
  family: 'bottleneck',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  parse: given => parseOptions(schema, withSettle(given, schema), 'iba'),
  cost: 'steps × batchSize × (F + B) of the blocks above the gate',
  paper: 'Schulz, Sixt, Tombari, Landgraf: Restricting the flow: information bottlenecks for attribution, ICLR 2020, arXiv 2001.00396',
  unit: 'nats',
  signed: false,
  sampled: true,
  layers: gateLayers,
  async explain(run, options) {
    const dataset = await statisticsOf(run);
    planGates(run, options);
    return eachTower(run, job => {
      const beta = job.modality === 'image' ? options.beta : options.textBeta;
      const normalisation = dataset ? 'dataset' : 'sample';
      const settings = { ...options, beta, normalisation, variance: 1, perToken: false, official: false } as const;
      return explainByGate(run, job, settings, { dataset: dataset?.[job.modality], smoothing: smoothingOf(job, options.sigma) });
    });
  },
};
