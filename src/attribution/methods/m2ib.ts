/**
 * @file M2IB: multi-modal information bottleneck attribution (Wang, Rudner, Wilson, NeurIPS 2023, arXiv 2312.17174). A noisy gate on a
 * hidden layer is optimised per pair to keep what image and text share; its cost in nats per token is the map.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { compileGate, type GateGraph, type GateOptions, type GateResult, optimiseGate } from '../../bottleneck/optimise-gate.ts';
import { type ChannelStatistics, sampleStatistics } from '../../bottleneck/statistics.ts';
import type { CLIPModel } from '../../models/clip/model.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import { floats } from '../../tensor/tensor.ts';
import { imageAttribution, textAttribution } from '../assemble.ts';
import { judgeConvergence } from '../convergence.ts';
import { loadStatistics, STATISTICS_FILE } from '../feature-statistics.ts';
import { resolveLayer } from '../layer.ts';
import { parseOptions } from '../options.ts';
import { type EncodedPairs, type EncodedTower, encodePairs, type Pair, row } from '../pair.ts';
import type { Attribution, Convergence } from '../result.ts';

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

/** What a call may choose beside the method's options. */
export interface AttributeRun {
  readonly modality?: Modality | 'both';
  readonly seed?: number;
  /** Number of seeds: seed, seed + 1, …; the map is their mean. */
  readonly seeds?: number;
  readonly imageSize?: number;
  readonly signal?: AbortSignal;
  /** Steps done, of all modalities, seeds and chunks of pairs. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly onWarning?: (message: string) => void;
}

/** M2IB on one model. Compiled steps are kept until `release`. */
export class M2IB {
  readonly options: M2IBOptions;
  private readonly graphs = new Map<string, Promise<GateGraph>>();

  /**
   * @param options unset ones take their defaults
   * @param statistics path of feature statistics for `normalisation: 'dataset'`; by default the file beside the model's weights
   * @throws NarrowsError for an option out of range
   */
  constructor(
    readonly model: CLIPModel,
    options: Partial<M2IBOptions> = {},
    private readonly statistics = join(model.checkpoint.directory, STATISTICS_FILE),
  ) {
    // An option that is there but undefined is unset: it must not hide the official code's own value.
    const set = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const given = options.compat ? { beta: 0.1, textBeta: options.beta ?? 0.1, batchSize: 10, ...set, ...OFFICIAL } : set;
    this.options = parseOptions(m2ibSchema, given, 'm2ib');
  }

  /** One pair. */
  async attribute(pair: Pair, run: AttributeRun = {}): Promise<Attribution> {
    return (await this.attributeAll([pair], run))[0];
  }

  /**
   * P pairs at once; each comes out as it would alone.
   * @throws NarrowsError for bad input, the signal's reason when aborted
   */
  async attributeAll(pairs: readonly Pair[], run: AttributeRun = {}): Promise<Attribution[]> {
    const { modality = 'both', seed = 0, seeds = 1 } = run;
    if (!Number.isInteger(seeds) || seeds < 1)
      throw new NarrowsError(`The number of seeds must be at least 1, got ${seeds}.`, { kind: 'usage' });
    if (!Number.isSafeInteger(seed) || seed < 0 || !Number.isSafeInteger(seed + seeds))
      throw new NarrowsError(`The seed must be a whole number from 0 to 2^53, got ${seed}.`, { kind: 'usage' });
    run.signal?.throwIfAborted();
    if (pairs.length === 0) return [];
    const { model, options } = this;
    const early = options.textLayer === 'auto' && !options.compat;
    const layers = {
      image: resolveLayer(options.layer, model.image),
      text: early ? EMBEDDINGS : resolveLayer(options.textLayer, model.text),
    };
    const started = performance.now();
    const dataset = options.normalisation === 'dataset' ? await loadStatistics(this.statistics, layers) : undefined;
    const encoded = await encodePairs(model, pairs, layers, run);
    const seconds: Record<string, number> = { encode: (performance.now() - started) / 1000 };
    const wanted: Modality[] = modality === 'both' ? ['image', 'text'] : [modality];
    const total = wanted.reduce((sum, m) => sum + Math.ceil(pairs.length / this.pairsPerRun(m, encoded)) * seeds * options.steps, 0);
    let done = 0;
    const results: Partial<Record<Modality, GateResult[][]>> = {};
    for (const m of wanted) {
      const from = performance.now();
      results[m] = [];
      for (let s = 0; s < seeds; s++)
        results[m].push(
          await this.optimise(m, encoded, layers[m], seed + s, dataset?.[m], run.signal, () => run.onProgress?.(++done, total)),
        );
      seconds[`optimise ${m}`] = (performance.now() - from) / 1000;
    }
    const sha256 = await model.sha256();
    return pairs.map((pair, p) => ({
      schemaVersion: 1,
      method: 'm2ib',
      unit: 'nats',
      caption: pair.text,
      cosine: encoded.cosines[p],
      image:
        results.image &&
        imageAttribution(
          encoded,
          p,
          seed,
          results.image.map(r => r[p].tokens),
          this.verdict(results.image, p, encoded.cosines[p]),
        ),
      text:
        results.text &&
        textAttribution(
          encoded,
          p,
          seed,
          results.text.map(r => r[p].tokens),
          this.verdict(results.text, p, encoded.cosines[p]),
        ),
      parameters: { ...options, layer: layers.image, textLayer: layers.text, seed, seeds, modality, imageSize: run.imageSize ?? null },
      provenance: {
        narrows: version,
        runtime: `${model.runtime.name} ${model.runtime.version}`,
        model: { name: model.name, sha256 },
        image: { name: pair.imageName ?? '', sha256: pair.imageSha256 ?? '', width: pair.image.width, height: pair.image.height },
        createdAt: new Date().toISOString(),
      },
      timings: seconds,
    }));
  }

  /** Closes the compiled steps. */
  async release(): Promise<void> {
    for (const graph of this.graphs.values()) await (await graph.catch(() => undefined))?.release();
    this.graphs.clear();
  }

  private verdict(seeds: readonly GateResult[][], p: number, cosine: number): Convergence {
    const average = (pick: (r: GateResult) => number[]): number[] =>
      pick(seeds[0][p]).map((_, i) => seeds.reduce((sum, r) => sum + pick(r[p])[i], 0) / seeds.length);
    return judgeConvergence(
      average(r => r.fit),
      average(r => r.compression),
      cosine,
    );
  }

  /** All pairs through the gate of one modality, in chunks that fit in memory. */
  private async optimise(
    modality: Modality,
    encoded: EncodedPairs,
    at: number,
    seed: number,
    dataset: ChannelStatistics | undefined,
    signal: AbortSignal | undefined,
    onStep: () => void,
  ): Promise<GateResult[]> {
    const tower = this.model[modality];
    const own = encoded[modality];
    const other = encoded[modality === 'image' ? 'text' : 'image'];
    const options = this.gateOptions(modality);
    const [count, tokens, width] = own.hidden.shape;
    const chunk = this.pairsPerRun(modality, encoded);
    const lengths = encoded.text.batch.rows.map(r => r.ids.length);
    const out: GateResult[] = [];
    for (let from = 0; from < count; from += chunk) {
      const range: [number, number] = [from, Math.min(count, from + chunk)];
      const problem = {
        runtime: this.model.runtime,
        tower,
        layer: at,
        hidden: rows(own.hidden, range),
        inputs: rowsOf(own, range),
        target: rows(other.features, range),
        lengths: modality === 'text' ? lengths.slice(...range) : undefined,
        statistics: this.noiseStatistics(own.hidden, range, dataset, modality === 'text' ? lengths : undefined),
        options,
        seed,
        signal,
        onStep,
      };
      const key = `${modality}:${at}:${modality === 'image' ? tokens : ''}:${width}:${Object.keys(problem.inputs).join()}`;
      let graph = this.graphs.get(key);
      if (!graph) {
        graph = compileGate({ ...problem, standardised: problem.statistics !== undefined });
        this.graphs.set(key, graph);
        // A failure is told to this call alone; the next one tries again.
        graph.catch(() => this.graphs.delete(key));
      }
      out.push(...(await optimiseGate(problem, await graph)));
    }
    return out;
  }

  /** Pairs whose step fits in `STEP_MEMORY`: about sixty values per token and channel live at once. */
  private pairsPerRun(modality: Modality, encoded: EncodedPairs): number {
    const [, tokens, width] = encoded[modality].hidden.shape;
    return Math.max(1, Math.floor(STEP_MEMORY / (tokens * width * this.options.batchSize * 60 * 4)));
  }

  private gateOptions(modality: Modality): GateOptions {
    const { steps, learningRate, batchSize, antithetic, alpha, compat } = this.options;
    return {
      beta: modality === 'image' ? this.options.beta : this.options.textBeta,
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
  private noiseStatistics(
    hidden: EncodedTower['hidden'],
    [from, to]: [number, number],
    dataset: ChannelStatistics | undefined,
    lengths?: readonly number[],
  ): ChannelStatistics[] | undefined {
    const { normalisation, variance } = this.options;
    const width = hidden.shape[2];
    const scale = Math.sqrt(variance);
    const scaled = (s: ChannelStatistics): ChannelStatistics => ({ mean: s.mean, deviation: s.deviation.map(v => v * scale) });
    const each = (pick: (p: number) => ChannelStatistics): ChannelStatistics[] =>
      Array.from({ length: to - from }, (_, i) => scaled(pick(from + i)));
    if (normalisation === 'none') {
      if (variance === 1) return undefined;
      return each(() => ({ mean: new Float32Array(width), deviation: new Float32Array(width).fill(1) }));
    }
    if (normalisation === 'sample')
      return each(p => sampleStatistics(row(hidden, p).subarray(0, lengths ? lengths[p] * width : undefined), width));
    if (dataset!.mean.length !== width)
      throw new NarrowsError(
        `${this.statistics} has statistics of ${dataset!.mean.length} channels, not ${width}; fit them again with this model.`,
      );
    return each(() => dataset!);
  }
}

/**
 * Where the gate stands in the text tower by default. The paper's block 9 of 12 is too late for captions: by then the end-of-text token has
 * gathered nearly all, and the words' maps fall to chance. At the embeddings a position holds its own word alone (docs/evidence).
 */
const EMBEDDINGS = -1;
/** Memory for the values of one step, bytes. */
const STEP_MEMORY = 512 * 2 ** 20;

function rows(t: EncodedTower['hidden'], [from, to]: [number, number]): EncodedTower['hidden'] {
  const size = t.data.length / t.shape[0];
  return floats([to - from, ...t.shape.slice(1)], t.data.subarray(from * size, to * size));
}

/** The inputs of some rows: every input has the batch as its first axis. */
function rowsOf(tower: EncodedTower, [from, to]: [number, number]): EncodedTower['inputs'] {
  return Object.fromEntries(
    Object.entries(tower.inputs).map(([name, t]) => {
      const size = t.data.length / t.shape[0];
      return [name, { dtype: t.dtype, shape: [to - from, ...t.shape.slice(1)], data: t.data.subarray(from * size, to * size) }];
    }),
  );
}
