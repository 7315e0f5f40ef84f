/** @file Maps from a gate that is optimised per pair: what all methods of the bottleneck family share. */

import { compileGate } from '../../bottleneck/gate-graph.ts';
import { gatePasses, quietStepsOf } from '../../bottleneck/gate-passes.ts';
import type { GateOptions, GateProblem, GateSchedule, GateWeights, UpperGate } from '../../bottleneck/gate-problem.ts';
import { optimiseGate } from '../../bottleneck/optimise-gate.ts';
import { type ChannelStatistics, sampleStatistics } from '../../bottleneck/statistics.ts';
import type { Dim, Value } from '../../graph/index.ts';
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import { graphKey } from '../../models/graph-key.ts';
import { rowBytes } from '../../models/row-bytes.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn } from '../../system/model-files.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { loadStatistics, STATISTICS_FILE, type StatisticsFile } from '../feature-statistics.ts';
import { watchGate } from '../frames.ts';
import { resolveLayer } from '../layer.ts';
import { fittingRows } from '../memory.ts';
import type { MethodRun, TokenMap, TowerJob } from '../method.ts';
import type { Layers } from '../pair.ts';
import { contentName } from '../perturbation/feature-store.ts';
import { chunks, inputRows, type Range, row, rows } from '../rows.ts';
import { targetFeeds, targetScore } from '../target.ts';

/** Where α starts: λ = σ(5) = 0.993, so that the optimisation begins from the undisturbed model. */
const ALPHA_START = 5;

/** How a gate is optimised in one tower. */
export interface GateSettings {
  readonly beta: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly learningRateSchedule?: GateSchedule;
  readonly batchSize: number;
  /** First steps without noise, see `GateOptions`; auto: two thirds. None by default. */
  readonly quietSteps?: number | 'auto';
  /** Variance of the noise and the prior, relative to the features' own. */
  readonly variance: number;
  /** Statistics of the noise: N(0, 1), the sample's own tokens, or a data set's. */
  readonly normalisation: 'none' | 'sample' | 'dataset';
  readonly antithetic: boolean;
  readonly perToken: boolean;
  readonly official: boolean;
}

/** What a variant adds to the plain gate. */
export interface GateVariant {
  /** Statistics of the job's layer for `normalisation: 'dataset'`. */
  readonly dataset?: ChannelStatistics;
  readonly smoothing?: FloatTensor;
  /** Blocks above whose outputs the same λ gates too, with their undisturbed outputs [P, N, D]. */
  readonly upper?: readonly { readonly layer: number; readonly hidden: FloatTensor; readonly dataset?: ChannelStatistics }[];
  /** Weights of pairs from … to, made anew for each chunk. */
  readonly weights?: (range: Range) => GateWeights;
  readonly maxGradientNorm?: number;
  /** What the method makes of the gate's nats of pair p, for who watches. */
  readonly shown?: (nats: Float32Array, p: number) => Float32Array;
  /** Standard normal noise [S, N, D] of a step, in place of the seed's: to follow another program. */
  readonly noise?: (step: number) => FloatTensor;
}

/** Feature statistics of both jobs' layers. @param source the file next to the model's weights by default @throws NarrowsError where it is missing */
export async function datasetStatistics(
  run: MethodRun,
  source: StatisticsFile = { files: run.model.files, file: STATISTICS_FILE },
): Promise<Record<Modality, ChannelStatistics>> {
  const found = await loadStatistics(source, { image: run.image.layer, text: run.text.layer });
  for (const modality of run.wanted) {
    const [channels, width] = [found[modality].mean.length, run[modality].hidden.shape[2]];
    if (channels !== width)
      throw new NarrowsError(
        `${fileIn(source.files, source.file)} has statistics of ${channels} channels, not ${width}; fit them again with this model.`,
      );
  }
  return found;
}

/**
 * Where the gate stands in the text tower by default. The paper's block 9 of 12 is too late for captions: by then the end-of-text token has
 * gathered nearly all, and the words' maps fall to chance. At the embeddings a position holds only its word (docs/evidence).
 */
const TEXT_LAYER = -1;

/** The layers of a gate: the paper's depth for images, the embeddings for captions, where `auto` leaves the choice. @throws NarrowsError */
export const gateLayers = (
  model: DualEncoder,
  options: { readonly layer: number | 'auto'; readonly textLayer: number | 'auto' },
): Layers => ({
  image: resolveLayer(options.layer, model.image),
  text: options.textLayer === 'auto' ? TEXT_LAYER : resolveLayer(options.textLayer, model.text),
});

/** Passes of a gate's optimisation, in the words of the methods' `cost`. */
export const GATE_PASSES = 'quietSteps + (steps − quietSteps) × batchSize';

/** What a gate's optimisation costs, in the words of the methods' `cost`. */
export const GATE_COST = `(${GATE_PASSES}) × (F + B) of the blocks above the gate`;

/** Declares the steps of all towers and chunks. */
export function planGates(run: MethodRun, settings: Pick<GateSettings, 'steps' | 'batchSize'>): void {
  for (const m of run.wanted) run.plan(chunks(run.encoded.pairs.length, pairsPerRun(run, run[m], settings)).length * settings.steps);
}

/** The maps of all pairs, in chunks that fit in memory: nats per token. */
export async function explainByGate(run: MethodRun, job: TowerJob, settings: GateSettings, variant: GateVariant = {}): Promise<TokenMap[]> {
  const { tower, modality, layer, hidden } = job;
  const [count] = hidden.shape;
  const out: TokenMap[] = [];
  for (const range of chunks(count, pairsPerRun(run, job, settings))) {
    const lengths = job.lengths.slice(...range);
    const upper = variant.upper?.map(
      (place): UpperGate => ({
        layer: place.layer,
        hidden: rows(place.hidden, range),
        statistics: noiseStatistics(rows(place.hidden, range), lengths, settings, place.dataset),
      }),
    );
    const problem: GateProblem = {
      runtime: run.model.runtime,
      tower,
      layer,
      hidden: rows(hidden, range),
      inputs: inputRows(job.inputs, range),
      score: {
        of: (features: Value, samples: Dim) => targetScore(features, samples, job.target),
        feeds: targetFeeds(job.target, range),
      },
      lengths: modality === 'text' ? lengths : undefined,
      players: job.kinds && job.players.slice(...range),
      statistics: noiseStatistics(rows(hidden, range), lengths, settings, variant.dataset, job.kinds),
      options: gateOptions(settings),
      smoothing: variant.smoothing,
      upper,
      weights: variant.weights?.(range),
      maxGradientNorm: variant.maxGradientNorm,
      noise: variant.noise,
      seed: run.seed,
      signal: run.signal,
      onStep: () => run.advance(),
      onFrame: watchGate(run, job, range, settings.steps, variant.shown),
    };
    const graph = await run.keep(await gateKey(job, problem), () =>
      compileGate({ ...problem, standardised: problem.statistics !== undefined, ownStatistics: ownStatistics(problem) }),
    );
    const results = await optimiseGate(problem, graph);
    out.push(...results.map(r => ({ tokens: r.tokens, curves: { fit: r.fit, compression: r.compression } })));
    const blocks = tower.layers - 1 - layer;
    run.passes(modality, (range[1] - range[0]) * gatePasses(settings), blocks, blocks);
  }
  await run.closeGraphs?.();
  return out;
}

/** What a step's graph depends on besides the tower: what is compiled in of the problem. */
async function gateKey(job: TowerJob, { options, statistics, smoothing, upper = [] }: GateProblem): Promise<string> {
  return graphKey('gate', job, {
    samples: options.quietSteps ? 'any' : options.batchSize,
    perToken: options.perToken,
    standardised: statistics !== undefined,
    own: ownStatistics({ statistics, hidden: job.hidden }),
    smoothing: smoothing && (await contentName(smoothing)),
    upper: upper.map(place => [place.layer, place.statistics !== undefined]),
  });
}

const ownStatistics = ({ statistics, hidden }: Pick<GateProblem, 'statistics' | 'hidden'>): boolean =>
  statistics !== undefined && statistics[0].mean.length > hidden.shape[2];

/**
 * Bytes of a step of one pair: about sixty values per token and channel live at once. In a decoder, whose suffix may be dozens of blocks, the
 * backward pass keeps every block's values (measured: 0.90 to 0.94 of this on three and six blocks of Qwen2-0.5B's shape).
 */
export function stepBytes(
  { tower, hidden, layer, kinds }: Pick<TowerJob, 'tower' | 'hidden' | 'layer' | 'kinds'>,
  samples: number,
): number {
  const [, tokens, width] = hidden.shape;
  const own = tokens * width * 60 * 4;
  return samples * (kinds ? Math.max(own, rowBytes(tower, tokens, tower.layers - 1 - layer, true)) : own);
}

/** Pairs whose step fits in memory. */
function pairsPerRun(run: MethodRun, job: TowerJob, { batchSize }: Pick<GateSettings, 'batchSize'>): number {
  const [, tokens] = job.hidden.shape;
  return fittingRows(run.maxMemory, stepBytes(job, batchSize), `A step of the gate with ${batchSize} samples of ${tokens} tokens`);
}

const gateOptions = (settings: GateSettings): GateOptions => {
  const { beta, steps, learningRate, learningRateSchedule, batchSize, antithetic, perToken, official } = settings;
  return {
    beta,
    steps,
    learningRate,
    learningRateSchedule,
    batchSize,
    quietSteps: quietStepsOf(settings),
    antithetic,
    perToken,
    official,
    alphaStart: ALPHA_START,
  };
};

/** Mean and deviation of the noise per pair; none where it is N(0, 1). The variance scales the deviation. @param hidden [P, N, D] */
function noiseStatistics(
  hidden: FloatTensor,
  lengths: readonly number[],
  { normalisation, variance }: GateSettings,
  dataset: ChannelStatistics | undefined,
  kinds?: readonly (readonly number[])[],
): ChannelStatistics[] | undefined {
  const width = hidden.shape[2];
  const scale = Math.sqrt(variance);
  const scaled = (s: ChannelStatistics): ChannelStatistics => ({ mean: s.mean, deviation: s.deviation.map(v => v * scale) });
  if (normalisation === 'none') {
    if (variance === 1) return undefined;
    return lengths.map(() => scaled({ mean: new Float32Array(width), deviation: new Float32Array(width).fill(1) }));
  }
  if (normalisation === 'sample' && kinds) return lengths.map((_, p) => scaled(statisticsByKind(row(hidden, p), width, kinds)));
  if (normalisation === 'sample') return lengths.map((n, p) => scaled(sampleStatistics(row(hidden, p).subarray(0, n * width), width)));
  return lengths.map(() => scaled(dataset!));
}

/** Every token gets the statistics of its own kind (image tokens, words), [N·D]; tokens of no kind mean 0 and deviation 1. */
function statisticsByKind(hidden: Float32Array, width: number, kinds: readonly (readonly number[])[]): ChannelStatistics {
  const mean = new Float32Array(hidden.length);
  const deviation = new Float32Array(hidden.length).fill(1);
  for (const kind of kinds) {
    // A single word varies in nothing: it is held against all tokens.
    const tokens = kind.length > 1 ? kind : kinds.flat();
    const own = new Float32Array(tokens.length * width);
    tokens.forEach((n, i) => {
      own.set(hidden.subarray(n * width, (n + 1) * width), i * width);
    });
    const found = sampleStatistics(own, width);
    for (const n of kind) {
      mean.set(found.mean, n * width);
      deviation.set(found.deviation, n * width);
    }
  }
  return { mean, deviation };
}
