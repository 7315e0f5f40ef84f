/**
 * @file M2IB: multi-modal information bottleneck attribution (Wang, Rudner, Wilson, NeurIPS 2023, arXiv 2312.17174). A noisy gate on a
 * hidden layer is optimised per pair to keep what image and text share; its cost in nats per token is the map.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { compileGate, type GateOptions, type GateResult, optimiseGate } from '../../bottleneck/optimise-gate.ts';
import { type ChannelStatistics, sampleStatistics } from '../../bottleneck/statistics.ts';
import type { Value } from '../../graph/index.ts';
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import { Attributor } from '../attributor.ts';
import { loadStatistics, STATISTICS_FILE } from '../feature-statistics.ts';
import { resolveLayer } from '../layer.ts';
import { eachTower, type MethodEntry, type MethodRun, type TokenMap, type TowerJob } from '../method.ts';
import { parseOptions } from '../options.ts';
import { chunks, inputRows, type Range, row, rows } from '../rows.ts';
import { targetFeeds, targetScore } from '../target.ts';

const layer = z.union([z.literal('auto'), z.number().int()]);

/** Options in the paper's words. */
export const m2ibSchema = z.strictObject({
  layer: layer.default('auto').describe("block of the image tower whose output the gate stands on, from 0; auto: the paper's depth"),
  textLayer: layer.default('auto').describe('the same for the text tower; -1 and auto: its embeddings'),
  beta: z.number().nonnegative().default(1).describe('weight of the information cost against the fit, for the image map'),
  textBeta: z.number().nonnegative().default(0.3).describe('the same for the text map'),
  steps: z.number().int().positive().default(10).describe('optimisation steps'),
  learningRate: z.number().positive().default(1).describe("Adam's learning rate on alpha"),
  batchSize: z.number().int().positive().default(4).describe('noise samples per step'),
  variance: z.number().positive().default(0.3).describe("variance of the noise and the prior, relative to the features' own"),
  normalisation: z
    .enum(['none', 'sample', 'dataset'])
    .default('sample')
    .describe("statistics of the noise: N(0, 1), the sample's own tokens, or a data set"),
  alpha: z.enum(['element', 'token']).default('element').describe('one gate per token and channel, or per token'),
  antithetic: z.boolean().default(true).describe('noise in pairs of opposite sign'),
  compat: z.enum(['m2ib-official']).optional().describe('m2ib-official: the published code exactly, defects included'),
});
/** Options with their defaults filled in. */
export type M2IBOptions = z.infer<typeof m2ibSchema>;

/** What `compat: 'm2ib-official'` fixes. Beta, layer, steps, learning rate and batch size stay free. */
const OFFICIAL = { normalisation: 'none', alpha: 'element', antithetic: false, variance: 1 } as const;

/** Where α starts: λ = σ(5) = 0.993, so that the optimisation begins from the undisturbed model. */
const ALPHA_START = 5;

/** Options from what was given; the official code has defaults of its own. @throws NarrowsError for an option out of range */
function parseM2IB(given: Record<string, unknown>): M2IBOptions {
  const set = given.compat ? { beta: 0.1, textBeta: given.beta ?? 0.1, batchSize: 10, ...given, ...OFFICIAL } : given;
  return parseOptions(m2ibSchema, set, 'm2ib');
}

/**
 * The registry's entry.
 * @param statistics path of feature statistics for `normalisation: 'dataset'`; by default the file beside the model's weights
 */
export const m2ibEntry = (statistics?: string): MethodEntry<M2IBOptions> => ({
  name: 'm2ib',
  title: 'M2IB',
  family: 'bottleneck',
  modalities: ['image', 'text'],
  schema: m2ibSchema,
  cost: 'steps × batchSize × (F + B) of the blocks above the gate',
  paper:
    'Wang, Rudner, Wilson: Visual explanations of image-text representations via multi-modal information bottleneck attribution, NeurIPS 2023, arXiv 2312.17174',
  unit: 'nats',
  signed: false,
  sampled: true,
  parse: parseM2IB,
  layers: (model, options) => ({
    image: resolveLayer(options.layer, model.image),
    text: options.textLayer === 'auto' && !options.compat ? EMBEDDINGS : resolveLayer(options.textLayer, model.text),
  }),
  async explain(run, options) {
    const path = statistics ?? join(run.model.checkpoint.directory, STATISTICS_FILE);
    const layers = { image: run.image.layer, text: run.text.layer };
    const dataset = options.normalisation === 'dataset' ? await loadStatistics(path, layers) : undefined;
    const units = run.wanted.map(m => chunks(run.encoded.pairs.length, pairsPerRun(run, run[m], options)).length * options.steps);
    run.plan(units.reduce((a, b) => a + b, 0));
    return eachTower(run, async job => (await optimise(run, job, options, dataset?.[job.modality], path)).map(mapOf));
  },
});

/** M2IB on one model, with options in the paper's words. */
export class M2IB extends Attributor<M2IBOptions> {
  /** @param statistics path of feature statistics for `normalisation: 'dataset'`; by default the file beside the model's weights */
  constructor(model: DualEncoder, options: Partial<M2IBOptions> = {}, statistics?: string) {
    super(m2ibEntry(statistics), model, options);
  }
}

const mapOf = (result: GateResult): TokenMap => ({ tokens: result.tokens, curves: { fit: result.fit, compression: result.compression } });

/** All pairs through the gate of one tower, in chunks that fit in memory. */
async function optimise(
  run: MethodRun,
  job: TowerJob,
  options: M2IBOptions,
  dataset: ChannelStatistics | undefined,
  path: string,
): Promise<GateResult[]> {
  const { tower, modality, layer, hidden } = job;
  const [count, tokens, width] = hidden.shape;
  const out: GateResult[] = [];
  for (const range of chunks(count, pairsPerRun(run, job, options))) {
    const problem = {
      runtime: run.model.runtime,
      tower,
      layer,
      hidden: rows(hidden, range),
      inputs: inputRows(job.inputs, range),
      score: {
        of: (features: Value) => targetScore(features, options.batchSize, job.target),
        feeds: targetFeeds(job.target, range),
      },
      lengths: modality === 'text' ? job.lengths.slice(...range) : undefined,
      statistics: noiseStatistics(job, range, options, dataset, path),
      options: gateOptions(modality, options),
      seed: run.seed,
      signal: run.signal,
      onStep: () => run.advance(),
    };
    const { kind, vectors } = job.target;
    const key = `${modality}:${layer}:${modality === 'image' ? tokens : ''}:${width}:${kind}:${vectors.shape[1]}:${Object.keys(problem.inputs).join()}`;
    const graph = await run.keep(key, () => compileGate({ ...problem, standardised: problem.statistics !== undefined }));
    out.push(...(await optimiseGate(problem, graph)));
    const blocks = tower.layers - 1 - layer;
    const rowsDone = (range[1] - range[0]) * options.batchSize * options.steps;
    run.passes(modality, rowsDone, blocks, blocks);
  }
  return out;
}

/** Pairs whose step fits in memory: about sixty values per token and channel live at once. */
function pairsPerRun(run: MethodRun, job: TowerJob, options: M2IBOptions): number {
  const [, tokens, width] = job.hidden.shape;
  return Math.max(1, Math.floor(run.maxMemory / (tokens * width * options.batchSize * 60 * 4)));
}

function gateOptions(modality: Modality, options: M2IBOptions): GateOptions {
  const { steps, learningRate, batchSize, antithetic, alpha, compat } = options;
  return {
    beta: modality === 'image' ? options.beta : options.textBeta,
    steps,
    learningRate,
    batchSize,
    antithetic,
    perToken: alpha === 'token',
    alphaStart: ALPHA_START,
    official: compat !== undefined,
  };
}

/** Mean and deviation of the noise per pair; none where it is N(0, 1). The variance scales the deviation. */
function noiseStatistics(
  job: TowerJob,
  [from, to]: Range,
  options: M2IBOptions,
  dataset: ChannelStatistics | undefined,
  path: string,
): ChannelStatistics[] | undefined {
  const { normalisation, variance } = options;
  const width = job.hidden.shape[2];
  const scale = Math.sqrt(variance);
  const scaled = (s: ChannelStatistics): ChannelStatistics => ({ mean: s.mean, deviation: s.deviation.map(v => v * scale) });
  const each = (pick: (p: number) => ChannelStatistics): ChannelStatistics[] =>
    Array.from({ length: to - from }, (_, i) => scaled(pick(from + i)));
  if (normalisation === 'none') {
    if (variance === 1) return undefined;
    return each(() => ({ mean: new Float32Array(width), deviation: new Float32Array(width).fill(1) }));
  }
  if (normalisation === 'sample') return each(p => sampleStatistics(row(job.hidden, p).subarray(0, job.lengths[p] * width), width));
  if (dataset!.mean.length !== width)
    throw new NarrowsError(`${path} has statistics of ${dataset!.mean.length} channels, not ${width}; fit them again with this model.`);
  return each(() => dataset!);
}

/**
 * Where the gate stands in the text tower by default. The paper's block 9 of 12 is too late for captions: by then the end-of-text token has
 * gathered nearly all, and the words' maps fall to chance. At the embeddings a position holds its own word alone (docs/evidence).
 */
const EMBEDDINGS = -1;
