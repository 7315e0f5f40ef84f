/**
 * @file What a metric of attributions is: a registry entry, and a streaming object that takes one map after the other. The value of a
 * sample is one number; NaN where a metric is not defined for it (counted, never averaged in).
 */
import type { z } from 'zod';
import type { Game, ImageRemoval, TextRemoval } from '../../attribution/game.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import { bootstrap, type Estimate } from '../../tensor/statistics/bootstrap.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';

/** Categories of metrics, in the order of tables. */
export const CATEGORIES = ['paper', 'faithfulness', 'localisation', 'robustness', 'randomisation', 'complexity', 'cost'] as const;
/** One of them. */
export type Category = (typeof CATEGORIES)[number];

/** A map to be judged, with what is known about its pair. Which parts a metric needs is in its entry's `needs`. */
export interface MetricSample {
  readonly modality: Modality;
  /** Raw values of the players: patches row by row, or the caption's words. */
  readonly map: Float32Array;
  /** Images: rows and columns of the patches. */
  readonly grid?: readonly [number, number];
  /** Images: height and width in pixels of the view that the model gets; `truth` and `pixels` have this size. */
  readonly size?: readonly [number, number];
  /** Ground truth: 1 where the named thing is, 0 elsewhere; [H·W] for images, one per word for captions. */
  readonly truth?: Uint8Array;
  /** The pair's game under a way of removing players; values come from a cache where another metric asked for them. */
  readonly game?: (removal: ImageRemoval | TextRemoval) => Game;
  /** Images: normalised pixels [3, H, W], and scores of any M images [M, 3, H, W] against the same target. */
  readonly pixels?: FloatTensor;
  readonly scorePixels?: (pixels: FloatTensor) => Promise<Float64Array>;
  /** Captions: scores with the words' token embeddings multiplied by weights [M, words]; BOS and EOS are left as they are (token-weights.ts). */
  readonly scoreTokenWeights?: (weights: Float32Array) => Promise<Float64Array>;
  /** The same method on a changed input: other pixels, another seed, another caption, other weights (cascading randomisation up to a block). */
  readonly explain?: (change: Change) => Promise<Float32Array>;
  /** A caption that is not this pair's: another pair's of the same data. */
  readonly otherText?: string;
  /** What the map cost. */
  readonly cost?: { readonly forward: number; readonly backward: number; readonly seconds: number; readonly peakBytes?: number };
  /** Draws of sampling metrics are keyed by it: the same for every method, so that comparisons are paired. */
  readonly key: number;
}

/** A change under which a map is made again. */
export interface Change {
  readonly pixels?: FloatTensor;
  readonly seed?: number;
  readonly text?: string;
  /** Blocks from the top whose weights are drawn again. */
  readonly randomisedBlocks?: number;
}

/** What a metric needs of a sample besides the map. */
export type Need = 'truth' | 'game' | 'pixels' | 'tokenWeights' | 'explain' | 'cost';

/** The values so far. */
export interface MetricSummary extends Estimate {
  readonly values: readonly number[];
  readonly nanCount: number;
}

/** A metric at work. */
export interface Metric {
  /** @returns the sample's value (NaN where not defined) @throws NarrowsError for a map of the wrong shape or a sample that lacks a need */
  update(sample: MetricSample): Promise<number>;
  /** Mean over samples with a 95 % BCa interval; NaN values are left out and counted. */
  summary(): MetricSummary;
  reset(): void;
}

/** A row of the table of metrics. */
export interface MetricEntry<O = Record<string, unknown>> {
  /** As on the command line, e.g. `insertion`. */
  readonly name: string;
  readonly title: string;
  readonly category: Category;
  readonly modalities: readonly Modality[];
  readonly direction: 'higher' | 'lower' | 'none';
  /** Of the value: `cosine`, `share`, `nats`, … */
  readonly unit: string;
  /** One sentence on how to read it. */
  readonly reading: string;
  /** Paper or repository with the formula's place. */
  readonly source: string;
  readonly needs: readonly Need[];
  /** Says something only of methods that draw random numbers; others are left out. */
  readonly sampledOnly?: boolean;
  /** Of code that the name and the options do not determine (a plug-in's file): part of the keys under which values are kept. */
  readonly version?: string;
  /** Options with defaults and a line of help each. */
  readonly schema: z.ZodObject;
  /** The value of one sample: the metric's mathematics. */
  evaluate(sample: MetricSample, options: O): Promise<number> | number;
}

/** A streaming metric of an entry. @param options checked and filled in by the caller (`createMetric` of registry.ts does) */
export class StreamingMetric<O> implements Metric {
  private values: number[] = [];

  constructor(
    readonly entry: MetricEntry<O>,
    readonly options: O,
  ) {}

  async update(sample: MetricSample): Promise<number> {
    checkSample(this.entry, sample);
    const value = await this.entry.evaluate(sample, this.options);
    this.values.push(value);
    return value;
  }

  summary(): MetricSummary {
    const known = this.values.filter(v => !Number.isNaN(v));
    const estimate = bootstrap(known, mean, { random: new RandomStream(0, `metric.${this.entry.name}`) });
    return { ...estimate, values: [...this.values], nanCount: this.values.length - known.length };
  }

  reset(): void {
    this.values = [];
  }
}

/** @throws NarrowsError in one sentence for a sample that the metric cannot take */
function checkSample(entry: Pick<MetricEntry, 'name' | 'modalities' | 'needs'>, sample: MetricSample): void {
  const { map, grid, size, truth, modality, pixels } = sample;
  if (!entry.modalities.includes(modality))
    throw new NarrowsError(`${entry.name} judges maps of the ${entry.modalities.join(' and ')}, not of the ${modality}.`, {
      kind: 'usage',
    });
  for (const need of entry.needs) {
    const there =
      need === 'pixels' ? sample.pixels && sample.scorePixels : need === 'tokenWeights' ? sample.scoreTokenWeights : sample[need];
    if (!there) throw new NarrowsError(`${entry.name} needs ${NEEDS[need]}, which these samples lack.`, { kind: 'usage' });
  }
  if (map.length === 0) throw new NarrowsError(`${entry.name} got an empty map.`);
  const bad = map.findIndex(v => !Number.isFinite(v));
  if (bad >= 0) throw new NarrowsError(`${entry.name} got a map with a value that is not finite (number ${bad}).`);
  if (grid && map.length !== grid[0] * grid[1])
    throw new NarrowsError(`${entry.name} got a map of ${map.length} values for a grid of ${grid[0]} × ${grid[1]}.`);
  const spatial = modality === 'image' && (entry.needs.includes('truth') || entry.needs.includes('pixels'));
  if (spatial && !(grid && size)) throw new NarrowsError(`${entry.name} needs the grid of the map and the size of the view in pixels.`);
  if (pixels && size && pixels.shape.join() !== [3, ...size].join())
    throw new NarrowsError(`${entry.name} got pixels [${pixels.shape.join(', ')}] for a view of [3, ${size.join(', ')}].`);
  const wanted = modality === 'image' ? size && size[0] * size[1] : map.length;
  if (truth && wanted !== undefined && truth.length !== wanted)
    throw new NarrowsError(
      `${entry.name} got a ground truth of ${truth.length} values where ${wanted} are wanted (${modality === 'image' ? 'the pixels of the view' : 'one per word'}).`,
    );
  if (entry.needs.includes('truth') && !truth!.some(v => v)) throw new NarrowsError(`${entry.name} got a ground truth that marks nothing.`);
}

/** What each need is, in words. */
export const NEEDS: Readonly<Record<Need, string>> = {
  truth: 'a ground truth',
  game: 'the model (a game over patches or words)',
  pixels: 'the pixels and the model',
  tokenWeights: "the model with its words' embeddings weighted",
  explain: 'the method, to run it again',
  cost: 'the cost of each map',
};
