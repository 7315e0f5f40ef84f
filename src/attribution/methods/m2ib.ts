/**
 * @file M2IB: multi-modal information bottleneck attribution (Wang, Rudner, Wilson, NeurIPS 2023, arXiv 2312.17174). A noisy gate on a
 * hidden layer is optimised per pair to keep what image and text share; its cost in nats per token is the map.
 */
import { z } from 'zod';
import { GATE_SCHEDULES } from '../../bottleneck/gate-problem.ts';
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import { answerLayer } from '../answers/answer-layer.ts';
import { Attributor } from '../attributor.ts';
import type { StatisticsFile } from '../feature-statistics.ts';
import { resolveLayer } from '../layer.ts';
import { eachTower, type MethodEntry } from '../method.ts';
import { parseOptions } from '../options.ts';
import { datasetStatistics, explainByGate, GATE_COST, type GateSettings, gateLayers, planGates } from '../primitives/gate.ts';

const layer = z.union([z.literal('auto'), z.number().int()]);

/** Options in the paper's words. */
export const m2ibSchema = z.strictObject({
  layer: layer.default('auto').describe("block of the image tower whose output the gate is placed on, from 0; auto: the paper's depth"),
  textLayer: layer.default('auto').describe('the same for the text tower; -1 and auto: its embeddings'),
  beta: z
    .number()
    .nonnegative()
    .default(1)
    .describe('weight of the information cost against the fit, for the image map (of an answer: for its one gate, 10 by default)'),
  textBeta: z.number().nonnegative().default(0.3).describe('the same for the text map'),
  steps: z.number().int().positive().default(6).describe('optimisation steps (of an answer: 12 by default)'),
  learningRate: z.number().positive().default(2).describe("Adam's learning rate on alpha"),
  learningRateSchedule: z
    .enum(GATE_SCHEDULES)
    .default('constant')
    .describe('course of the rate over the steps (of an answer: linear by default)'),
  settle: z
    .boolean()
    .default(false)
    .describe(
      'a hundred noisy steps at a rate of 0.7 that falls to 0, unless said otherwise: numbers of nats that hold better, and a sparser map',
    ),
  quietSteps: z
    .union([z.literal('auto'), z.number().int().nonnegative()])
    .default('auto')
    .describe('first steps of one pass without noise, while gates are open; auto: two thirds of the steps'),
  batchSize: z.number().int().positive().default(4).describe('noise samples per step (of an answer: 2 by default)'),
  variance: z.number().positive().default(0.3).describe("variance of the noise and the prior, relative to the features' own"),
  normalisation: z
    .enum(['none', 'sample', 'dataset'])
    .default('sample')
    .describe("statistics of the noise: N(0, 1), the sample's own tokens, or a data set"),
  alpha: z.enum(['element', 'token']).default('element').describe('one gate per token and channel, or per token'),
  antithetic: z.boolean().default(true).describe('noise in pairs of opposite sign'),
  compat: z
    .enum(['m2ib-official'])
    .optional()
    .describe('m2ib-official: the published code exactly, defects included; 10 steps of 10 samples at a rate of 1 by default'),
});
/** Options with their defaults filled in. */
export type M2IBOptions = z.infer<typeof m2ibSchema>;

/** What `settle` asks for where nothing else is given (docs/evidence/nats.md). */
const SETTLED = { steps: 100, learningRate: 0.7, quietSteps: 0, learningRateSchedule: 'cosine' } as const;

/** Options with those that `settle` stands for, out of the schema's. */
export const withSettle = (given: Record<string, unknown>, { shape }: z.ZodObject): Record<string, unknown> =>
  given.settle === true ? { ...Object.fromEntries(Object.entries(SETTLED).filter(([name]) => name in shape)), ...given } : given;

/** What `compat: 'm2ib-official'` fixes. Beta, layer, steps, learning rate and batch size stay free. */
const OFFICIAL = {
  learningRateSchedule: 'constant',
  quietSteps: 0,
  normalisation: 'none',
  alpha: 'element',
  antithetic: false,
  variance: 1,
} as const;

/** Options from what was given; the official code has defaults of its own. @throws NarrowsError for an option out of range */
function parseM2IB(given: Record<string, unknown>): M2IBOptions {
  if (given.compat && given.settle === true)
    throw new NarrowsError('The published code knows no rate that falls; leave compat or settle out.', { kind: 'usage' });
  const set = given.compat
    ? { beta: 0.1, textBeta: given.beta ?? 0.1, steps: 10, learningRate: 1, batchSize: 10, ...given, ...OFFICIAL }
    : withSettle(given, m2ibSchema);
  return parseOptions(m2ibSchema, set, 'm2ib');
}

/**
 * M2IB as an entry of the table of methods.
 * @param statistics feature statistics for `normalisation: 'dataset'`; by default the file next to the model's weights
 */
export const m2ibEntry = (statistics?: StatisticsFile): MethodEntry<M2IBOptions> => ({
  name: 'm2ib',
  title: 'M2IB',
  family: 'bottleneck',
  serves: 'pair',
  answers: {
    by: 'row',
    gate: true,
    // A log-probability has a wider range than a cosine; one antithetic pair is as good as two (docs/evidence/answers.md).
    // A rate that falls over twice the steps halves what six at a constant one leave unsettled (docs/evidence/nats.md).
    defaults: ({ settle }) => ({ beta: 10, batchSize: 2, ...(settle === true ? {} : { steps: 12, learningRateSchedule: 'linear' }) }),
    layer: (tower, { layer }) => answerLayer(layer, tower),
    unsupported: ({ normalisation, compat }) =>
      compat || normalisation === 'dataset'
        ? `${compat ? 'The published code' : 'Statistics of a data set'} is for pairs; leave ${compat ? '--compat' : '--normalisation dataset'} out for an answer.`
        : undefined,
    async explain(run, { alpha, compat: _, textBeta: __, ...options }) {
      planGates(run, options);
      const settings = { ...options, perToken: alpha === 'token', official: false };
      return eachTower(run, job => explainByGate(run, job, settings));
    },
  },
  modalities: ['image', 'text'],
  schema: m2ibSchema,
  cost: GATE_COST,
  paper:
    'Wang, Rudner, Wilson: Visual explanations of image-text representations via multi-modal information bottleneck attribution, NeurIPS 2023, arXiv 2312.17174',
  unit: 'nats',
  signed: false,
  sampled: true,
  parse: parseM2IB,
  // The official code has one depth for both towers.
  layers: (model, options) =>
    options.compat && options.textLayer === 'auto'
      ? { image: resolveLayer(options.layer, model.image), text: resolveLayer('auto', model.text) }
      : gateLayers(model, options),
  async explain(run, options) {
    const dataset = options.normalisation === 'dataset' ? await datasetStatistics(run, statistics) : undefined;
    planGates(run, options);
    return eachTower(run, job => explainByGate(run, job, settingsOf(options, job.modality), { dataset: dataset?.[job.modality] }));
  },
});

/**
 * M2IB on one model, with options in the paper's words.
 * @example
 * await using model = await loadModel('scene-clip');
 * await using m2ib = new M2IB(model, { beta: 1, steps: 10 });
 * const result = await m2ib.attribute({ image: await decodeImage('examples/scene.png'), text: 'a cat and an umbrella' });
 * console.log(result.image?.patches, result.text?.words.map(w => `${w.text} ${w.value.toFixed(1)} nats`));
 */
export class M2IB extends Attributor<M2IBOptions> {
  /** @param statistics feature statistics for `normalisation: 'dataset'`; by default the file next to the model's weights */
  constructor(model: DualEncoder, options: Partial<M2IBOptions> = {}, statistics?: StatisticsFile) {
    super(m2ibEntry(statistics), model, options);
  }
}

/** The gate's settings for one tower. */
function settingsOf(options: M2IBOptions, modality: Modality): GateSettings {
  const { alpha, compat, textBeta, ...rest } = options;
  return { ...rest, beta: modality === 'image' ? options.beta : textBeta, perToken: alpha === 'token', official: compat !== undefined };
}
