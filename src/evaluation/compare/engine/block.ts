/**
 * @file The work on a block of pairs of one group and modality: all methods' maps, method by method over the whole block, then all metrics
 * of that method. Cells that are there are not computed again.
 */

import type { ImageRemoval, TextRemoval } from '../../../attribution/game.ts';
import { methodOptions } from '../../../attribution/method.ts';
import { encodePairs } from '../../../attribution/pair.ts';
import { FeatureStore } from '../../../attribution/perturbation/feature-store.ts';
import { imageGame, scoresOf, textGame } from '../../../attribution/perturbation/games.ts';
import { Perturbation } from '../../../attribution/perturbation/perturbation.ts';
import { row } from '../../../attribution/rows.ts';
import { linearTarget, type Target, unit } from '../../../attribution/target.ts';
import { GraphCache } from '../../../graph/index.ts';
import type { TaskHooks } from '../../../jobs/cell.ts';
import type { DualEncoder, Modality } from '../../../models/dual-encoder.ts';
import { messageOf } from '../../../system/errors.ts';
import { type FloatTensor, floats } from '../../../tensor/tensor.ts';
import type { MetricSample } from '../../metrics/metric.ts';
import { removalCurve } from '../../metrics/ranking.ts';
import { createMetric } from '../../metrics/registry.ts';
import { tokenWeightScores } from '../../metrics/token-weights.ts';
import type { CompareSample, SampleSource } from '../data/sample.ts';
import { CURVE_STEPS } from '../results.ts';
import {
  type CompareSpec,
  includes,
  judgedSeeds,
  type MethodSetting,
  type MetricSetting,
  methodSettings,
  metricSettings,
  seedsOf,
} from '../settings.ts';
import type { CompareCell, CompareCells } from './cells.ts';
import { ExplainAgain, type LoadModel } from './explain-again.ts';
import { MethodRuns } from './method-runs.ts';
import { type Prepared, prepare } from './prepared.ts';
import { PairRecord } from './record.ts';
import { WatchedModel } from './watched-model.ts';

/** Pairs that go through a method together. */
export const BLOCK = 8;
/** Pairs among which another caption is looked for. */
const TRIED = 50;

/** A block of pairs of one group and modality. */
export interface Block {
  /** Places of the samples in their source. */
  readonly indices: readonly number[];
  /** Cells of earlier runs. */
  readonly cells: CompareCells;
}

type BlockRun = TaskHooks<CompareCell>;

interface Work extends Prepared {
  readonly record: PairRecord;
  /** Position among the pairs of its group and modality. */
  readonly rank: number;
  /** A caption of another pair. */
  readonly otherText?: string;
}

/** Pairs whose metrics share encodings. */
interface Judge {
  readonly works: readonly Work[];
  sample(work: Work, setting: MethodSetting): Omit<MetricSample, 'map' | 'cost'>;
}

/** Methods of a setting that can make maps of a modality; the others with the reason. */
export function servedBy(setting: MethodSetting, model: DualEncoder, modality: Modality): string | undefined {
  const { entry } = setting;
  if (!entry.modalities.includes(modality)) return `${setting.label} makes no map of the ${modality}.`;
  const options = methodOptions(entry, { ...setting.options });
  return entry.unsupported?.(model, modality, options);
}

/** Whether a metric is computed for a pair's maps by a method (which are there). */
export function judges(metric: MetricSetting, method: MethodSetting, work: Judged, spec: CompareSpec): boolean {
  const { needs, modalities } = metric.entry;
  const { modality } = work.sample;
  if (!modalities.includes(modality) || !includes(metric, work.rank)) return false;
  if (needs.includes('truth') && !work.truth) return false;
  if (needs.includes('pixels') && modality !== 'image') return false;
  if (metric.entry.sampledOnly && !method.entry.sampled) return false;
  if (!needs.includes('explain')) return true;
  if (method.entry.fixed) return false;
  const { forward, backward } = work.record.cost(method.key, spec.seed) ?? { forward: 0, backward: 0 };
  return work.rank < spec.robustnessSamples && forward + backward <= spec.robustnessPasses;
}

/** What decides whether a metric is computed for a pair. */
export type Judged = Pick<Work, 'truth' | 'rank' | 'sample' | 'record'>;

/** A comparison at work on one model. */
export class BlockRunner {
  private readonly methods: MethodSetting[];
  private readonly metrics: MetricSetting[];
  /** The metric whose curves are kept. */
  private readonly curves: MetricSetting | undefined;
  private readonly watched: WatchedModel;
  private readonly runs: MethodRuns;
  private readonly again: ExplainAgain;
  private readonly graphs = new GraphCache();
  private readonly features = new FeatureStore();
  private readonly reported = new Set<string>();
  private readonly times = new Map<Modality, Map<string, number>>();

  /** @param folder where randomised models may be written; @param load loads them */
  constructor(
    private readonly spec: CompareSpec,
    private readonly source: SampleSource,
    model: DualEncoder,
    load: LoadModel,
    folder: string,
  ) {
    this.methods = methodSettings(spec.methods);
    this.metrics = metricSettings(spec.metrics);
    this.curves = this.metrics.find(m => m.name === 'insertion' || m.name === 'deletion');
    this.watched = new WatchedModel(model);
    this.runs = new MethodRuns(this.watched);
    this.again = new ExplainAgain(spec, this.watched, this.runs, load, folder);
  }

  /**
   * Does what is missing for some samples of one group and modality. Every cell is handed over when it is finished.
   * @throws NarrowsError for samples that cannot be read, the signal's reason when aborted
   */
  async run({ indices, cells }: Block, run: BlockRun): Promise<void> {
    const all: Work[] = [];
    for (const index of indices) {
      const prepared = await prepare(this.watched, await this.source.read(index), this.spec.imageSize);
      const { group, modality } = prepared.sample;
      const rank = this.source.names.slice(0, index).filter(n => n.group === group && n.modality === modality).length;
      const record = new PairRecord(prepared.key, cells, (key, outcome) => run.onCell(key, outcome));
      all.push({ ...prepared, rank, record, otherText: await this.otherText(index, rank, prepared.sample) });
    }
    // Pictures of several sizes cannot go through a tower together.
    const same = all.every(w => w.size[0] === all[0].size[0] && w.size[1] === all[0].size[1]);
    const batches = same ? [all] : all.map(w => [w]);
    try {
      for (const [i, batch] of batches.entries())
        await this.batch(batch, { ...run, onProgress: share => run.onProgress((i + share) / batches.length) });
      for (const { record } of all) await record.save();
    } finally {
      await Promise.allSettled(all.map(({ record }) => record.save()));
      this.watched.forget();
      await this.features.release();
    }
  }

  /** The caption of the next pair of the same kind that has another one; for metrics that run methods again. */
  private async otherText(index: number, rank: number, { group, modality, pair }: CompareSample): Promise<string | undefined> {
    if (rank >= this.spec.robustnessSamples) return undefined;
    const { names } = this.source;
    for (let step = 1; step < Math.min(names.length, TRIED); step++) {
      const other = (index + step) % names.length;
      if (names[other].group !== group || names[other].modality !== modality) continue;
      const { text } = (await this.source.read(other)).pair;
      if (text !== pair.text) return text;
    }
    return undefined;
  }

  private async batch(batch: readonly Work[], run: BlockRun): Promise<void> {
    const { modality } = batch[0].sample;
    let judge: Judge | undefined;
    const pace = this.paceOf(modality);
    for (const setting of this.methods) {
      const started = performance.now();
      if (servedBy(setting, this.watched, modality) === undefined) {
        await this.makeMaps(batch, setting, run);
        for (const work of batch) {
          if (!includes(setting, work.rank) || !this.unfinished(work, setting)) continue;
          // A pair that no method could read would spoil the encoding of the others.
          if (!judge?.works.includes(work))
            judge = await this.judge(
              batch.filter(w => this.methods.some(m => this.hasMap(w, m))),
              run,
            );
          await this.evaluate(judge, work, setting, run);
        }
        await this.runs.settle(setting);
        await this.again.settle();
      }
      for (const { record } of batch) await record.save();
      run.onProgress(pace.share(setting.key, performance.now() - started));
    }
  }

  /** Shares of a block's work, by what each method took in the block before; in the first block all count alike. */
  private paceOf(modality: Modality) {
    const before = this.times.get(modality) ?? new Map<string, number>();
    const now = new Map<string, number>();
    this.times.set(modality, now);
    const known = this.methods.every(m => before.has(m.key));
    const weight = (key: string): number => (known ? before.get(key)! : 1);
    const total = this.methods.reduce((sum, m) => sum + weight(m.key), 0);
    let done = 0;
    return {
      share: (key: string, time: number): number => {
        now.set(key, time);
        done += weight(key);
        return done / total;
      },
    };
  }

  /** Maps of all seeds that a pair of the batch lacks. Where the batch fails, its pairs are tried one by one. */
  private async makeMaps(all: readonly Work[], setting: MethodSetting, run: BlockRun): Promise<void> {
    const batch = all.filter(w => includes(setting, w.rank));
    for (const seed of seedsOf(this.spec, setting)) {
      const lacking = batch.filter(w => !w.record.hasMap(setting.key, seed));
      if (lacking.length === 0) continue;
      await breathe(run.signal);
      // The whole batch again: its values do not depend on where an earlier run stopped.
      const failed = await this.tryMaps(batch, lacking, setting, seed, run);
      if (failed === undefined) continue;
      for (const work of lacking) {
        const reason = batch.length === 1 ? failed : await this.tryMaps([work], [work], setting, seed, run);
        if (reason === undefined) continue;
        work.record.setFailure(setting.key, seed, reason);
        this.tell(`${setting.label} failed on ${work.sample.id}: ${reason}`, reason, run);
      }
    }
  }

  /** @returns why it failed, or undefined */
  private async tryMaps(batch: readonly Work[], wanted: readonly Work[], setting: MethodSetting, seed: number, run: BlockRun) {
    const { imageSize, maxMemory } = this.spec;
    const options = { modality: batch[0].sample.modality, seed, imageSize, maxMemory, signal: run.signal };
    try {
      const made = await this.runs.maps(
        setting,
        batch.map(w => w.sample.pair),
        options,
      );
      for (const work of wanted) {
        const { map, cost, cosine } = made[batch.indexOf(work)];
        work.record.setMap(setting.key, seed, map, cost);
        work.record.cosine = cosine;
      }
      return undefined;
    } catch (error) {
      // One bad method or pair must not take a long run with it: it is reported, and stands in the results.
      if (run.signal?.aborted) throw error;
      return messageOf(error);
    }
  }

  private wanted(work: Work, setting: MethodSetting): [MetricSetting, number][] {
    return this.metrics
      .filter(metric => judges(metric, setting, work, this.spec))
      .flatMap(metric => judgedSeeds(metric, setting, this.spec).map((seed): [MetricSetting, number] => [metric, seed]))
      .filter(([metric, seed]) => work.record.hasMap(setting.key, seed) && work.record.value(setting.key, metric.key, seed) === undefined);
  }

  private unfinished(work: Work, setting: MethodSetting): boolean {
    return this.wanted(work, setting).length > 0 || this.lacksCurves(work, setting);
  }

  private hasMap = ({ record }: Work, setting: MethodSetting): boolean =>
    seedsOf(this.spec, setting).some(seed => record.hasMap(setting.key, seed));
  /** Curves go with insertion or deletion, where they cost nothing more. */
  private lacksCurves = ({ record, rank }: Work, { key }: MethodSetting): boolean =>
    this.curves !== undefined && includes(this.curves, rank) && record.hasMap(key, this.spec.seed) && record.curves(key) === undefined;

  /** Encodes a batch for its metrics; they share what the model says of coalitions. */
  private async judge(batch: readonly Work[], run: BlockRun): Promise<Judge> {
    const { spec, watched: model } = this;
    const { modality } = batch[0].sample;
    const encoded = await encodePairs(
      model,
      batch.map(w => w.sample.pair),
      { image: -1, text: -1 },
      { imageSize: spec.imageSize },
    );
    const other = modality === 'image' ? encoded.text : encoded.image;
    const target: Target = linearTarget(
      batch.map((_, p) => unit(row(other.features, p))),
      { kind: modality === 'image' ? 'caption' : 'image', description: 'cosine' },
    );
    const engine = new Perturbation({
      model,
      encoded,
      maxMemory: spec.maxMemory,
      signal: run.signal,
      features: this.features,
      keep: this.graphs.keep,
    });
    const all = encoded.image.inputs.pixel_values as FloatTensor | undefined;
    const sample: Judge['sample'] = (work, setting) => {
      const p = batch.indexOf(work);
      return {
        modality,
        ...(modality === 'image' ? { grid: encoded.image.grid, size: work.size } : {}),
        truth: work.truth,
        game: removal =>
          modality === 'image'
            ? imageGame(engine, p, target, { removal: removal as ImageRemoval })
            : textGame(engine, p, target, { removal: removal as TextRemoval }),
        ...(modality === 'image' && all
          ? {
              pixels: floats(all.shape.slice(1), row(all, p)),
              scorePixels: async pixels => scoresOf(target, p, await engine.pixelFeatures(pixels)),
            }
          : {
              scoreTokenWeights: tokenWeightScores({ model, encoded, maxMemory: spec.maxMemory, keep: this.graphs.keep }, p, target),
            }),
        explain: this.again.for(setting, work.sample, work.record, {
          imageSize: spec.imageSize,
          maxMemory: spec.maxMemory,
          signal: run.signal,
        }),
        otherText: work.otherText,
        key: work.draw,
      };
    };
    return { works: batch, sample };
  }

  private async evaluate(judge: Judge, work: Work, setting: MethodSetting, run: BlockRun): Promise<void> {
    const { record } = work;
    const sample = judge.sample(work, setting);
    for (const [metric, seed] of this.wanted(work, setting)) {
      await breathe(run.signal);
      const { map, ...cost } = record.map(setting.key, seed)!;
      const started = performance.now();
      try {
        const value = await createMetric(metric.entry, metric.parsed).update({ ...sample, map, cost });
        record.setValue(setting.key, metric.key, seed, value, (performance.now() - started) / 1000);
      } catch (error) {
        if (run.signal?.aborted) throw error;
        // No value, and none that is not defined either: the next run tries again.
        record.setValueFailure(setting.key, metric.key, seed, messageOf(error));
        this.tell(`${metric.label} of ${setting.label} failed on ${work.sample.id}: ${messageOf(error)}`, metric.label, run);
      }
    }
    if (this.lacksCurves(work, setting)) {
      const { removal, textRemoval } = this.curves!.parsed as { removal: ImageRemoval; textRemoval: TextRemoval };
      const game = sample.game!(work.sample.modality === 'image' ? removal : textRemoval);
      try {
        const { insertion, deletion } = await removalCurve(game, record.map(setting.key, this.spec.seed)!.map, CURVE_STEPS);
        record.setCurves(setting.key, { insertion: [...insertion], deletion: [...deletion] });
      } catch (error) {
        if (run.signal?.aborted) throw error;
        record.setCurvesFailure(setting.key, messageOf(error));
        this.tell(`The curves of ${setting.label} failed on ${work.sample.id}: ${messageOf(error)}`, 'curves', run);
      }
    }
  }

  private tell(message: string, about: string, run: BlockRun): void {
    if (this.reported.has(about)) return;
    this.reported.add(about);
    run.onWarning(message);
  }

  /** Closes graphs and randomised models, not the model itself. */
  async release(): Promise<void> {
    await this.runs.release();
    await this.again.release();
    await this.graphs.release();
  }
}

/** Lets messages (a wish to stop) come in between two pieces of work. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise(resolve => setImmediate(resolve));
  signal?.throwIfAborted();
}
