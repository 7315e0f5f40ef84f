/** @file `explain` of metric samples: a method once more, on other pixels, another caption or seed, or a model that was randomised in part. */

import type { Pair } from '../../../attribution/pair.ts';
import { contentName } from '../../../attribution/perturbation/feature-store.ts';
import type { DualEncoder, Modality } from '../../../models/dual-encoder.ts';
import { rm } from '../../../node/disk.ts';
import { createHash } from '../../../node/hash.ts';
import { PromiseCache } from '../../../system/promise-cache.ts';
import type { Change } from '../../metrics/metric.ts';
import type { CompareSample } from '../data/sample.ts';
import type { CompareSpec, MethodSetting } from '../settings.ts';
import { MethodRuns, type RunOptions } from './method-runs.ts';
import { randomisedCheckpoint } from './randomise.ts';
import type { PairRecord } from './record.ts';
import { WatchedModel } from './watched-model.ts';

/** Loads a model by its directory. */
export type LoadModel = (directory: string) => Promise<DualEncoder>;

interface Randomised {
  readonly model: DualEncoder;
  readonly watched: WatchedModel;
  readonly runs: MethodRuns;
}

/** Runs methods again. Randomised models are made on demand below `folder` and kept until `release`. */
export class ExplainAgain {
  private readonly randomised = new PromiseCache<Randomised>();

  constructor(
    private readonly spec: CompareSpec,
    private readonly watched: WatchedModel,
    private readonly runs: MethodRuns,
    private readonly load: LoadModel,
    private readonly folder: string,
  ) {}

  /** The function for one pair and method; equal changes are answered once. */
  for(
    setting: MethodSetting,
    sample: CompareSample,
    record: PairRecord,
    options: Omit<RunOptions, 'seed' | 'modality'>,
  ): (change: Change) => Promise<Float32Array> {
    const answers = new PromiseCache<Float32Array>();
    return async change => {
      const seed = setting.entry.sampled ? (change.seed ?? this.spec.seed) : this.spec.seed;
      const plain = change.pixels === undefined && change.text === undefined && !change.randomisedBlocks;
      const stored = plain ? record.map(setting.key, seed) : undefined;
      if (stored) return stored.map;
      const pixels = change.pixels && (await contentName(change.pixels));
      const key = createHash('sha1')
        .update(JSON.stringify([seed, pixels, change.text, change.randomisedBlocks]))
        .digest('hex');
      return answers.get(key, () => this.run(setting, sample, change, { ...options, seed, modality: sample.modality }));
    };
  }

  private async run(setting: MethodSetting, sample: CompareSample, change: Change, options: RunOptions): Promise<Float32Array> {
    const pair: Pair = { ...sample.pair, text: change.text ?? sample.pair.text, pixelValues: change.pixels };
    const blocks = change.randomisedBlocks ?? 0;
    const runs = blocks > 0 ? (await this.model(sample.modality, blocks)).runs : this.runs;
    const [made] = await runs.maps(setting, [pair], options);
    return made.map;
  }

  private model(modality: Modality, blocks: number): Promise<Randomised> {
    const top = Math.min(blocks, this.watched[modality].layers);
    return this.randomised.get(`${modality}:${top}`, async () => {
      const directory = await randomisedCheckpoint(this.watched, modality, top, this.spec.seed, this.folder);
      const model = await this.load(directory);
      const watched = new WatchedModel(model);
      return { model, watched, runs: new MethodRuns(watched) };
    });
  }

  /** After a block of pairs: closes a method's graphs of randomised models. */
  async settle(): Promise<void> {
    for (const { runs, watched } of await this.randomised.values()) {
      await runs.release();
      watched.forget();
    }
  }

  async release(): Promise<void> {
    await this.settle();
    for (const { model } of await this.randomised.clear()) await model.release();
  }

  /** Removes the randomised checkpoints below a folder. */
  static clean(folder: string): Promise<void> {
    return rm(folder, { recursive: true, force: true });
  }
}
