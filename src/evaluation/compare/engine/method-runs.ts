/** @file Methods of a comparison on one model: made at their first use, run on batches of pairs, released by family and size of the model. */

import type { Attributor } from '../../../attribution/attributor.ts';
import type { Pair } from '../../../attribution/pair.ts';
import { createMethod } from '../../../attribution/registry.ts';
import type { Attribution } from '../../../attribution/result.ts';
import type { DualEncoder, Modality } from '../../../models/dual-encoder.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { MethodSetting } from '../settings.ts';

/** Work and time per map, beyond the encoding of the pair and the compilation of graphs. */
export interface MapCost {
  readonly forward: number;
  readonly backward: number;
  readonly seconds: number;
  /** Graphs were compiled in this run: its first steps were slower than later ones, though the compilation itself is not in `seconds`. */
  readonly cold: boolean;
  /** The pair stands for those that went through the method with it: `seconds` is their mean, one measurement for all of them. */
  readonly lead: boolean;
}

/** A map with its cost. */
export interface CostedMap {
  /** Values of the players: patches row by row, or words. */
  readonly map: Float32Array;
  readonly cost: MapCost;
  readonly cosine: number;
}

/** How maps are made. */
export interface RunOptions {
  readonly modality: Modality;
  readonly seed: number;
  readonly imageSize?: number;
  readonly maxMemory?: number;
  readonly signal?: AbortSignal;
}

/** Weights above this many bytes are not kept in the graphs of many methods at once. */
const LARGE = 64 * 2 ** 20;

/** Seconds of a first run below which it is worth another for its time. */
const QUICK = 2;

/** Seconds beyond the encoding of the pairs. */
const secondsOf = ({ timings }: Attribution): number =>
  Object.entries(timings).reduce((sum, [name, seconds]) => sum + (name === 'encode' ? 0 : seconds), 0);

/** Whether a method remembers what the model said of coalitions. */
const keepsFeatures = ({ entry }: MethodSetting): boolean => entry.family === 'perturbation' || entry.family === 'interaction';

/** A model that counts the seconds it spends on compiling. */
export type TimedModel = DualEncoder & { readonly compileSeconds: number };

/** Attributors of one model, by method and options. */
export class MethodRuns {
  private readonly attributors = new Map<string, Attributor>();
  private readonly large: boolean;

  constructor(readonly model: TimedModel) {
    this.large = [...model.checkpoint.entries.values()].reduce((sum, e) => sum + e.length, 0) > LARGE;
  }

  /**
   * Maps of several pairs by one method and seed.
   * @throws NarrowsError for input or a model that the method cannot serve, the signal's reason when aborted
   */
  async maps(setting: MethodSetting, pairs: readonly Pair[], options: RunOptions): Promise<CostedMap[]> {
    let attributor = this.attributors.get(setting.key);
    if (!attributor) {
      attributor = createMethod(setting.entry, this.model, setting.options);
      this.attributors.set(setting.key, attributor);
    }
    const compiled = this.model.compileSeconds;
    let results = await attributor.attributeAll(pairs, options);
    // A run that built its graphs says little about the method: quick ones that remember nothing are timed once more.
    let compiling = this.model.compileSeconds - compiled;
    if (compiling > 0 && secondsOf(results[0]) < QUICK && !keepsFeatures(setting)) {
      results = await attributor.attributeAll(pairs, options);
      compiling = this.model.compileSeconds - compiled - compiling;
    }
    const seconds = Math.max(0, secondsOf(results[0]) - compiling) / pairs.length;
    return results.map((result, i) => {
      const map = playersOf(result, options.modality);
      if (!map) throw new NarrowsError(`${setting.label} made no map of the ${options.modality}.`);
      return {
        map,
        cosine: result.cosine,
        cost: {
          ...{ forward: result.passes?.forward ?? 0, backward: result.passes?.backward ?? 0, seconds },
          ...{ cold: compiling > 0, lead: i === 0 },
        },
      };
    });
  }

  /** After a block of pairs: closes what a method holds where that is much. */
  async settle(setting: MethodSetting): Promise<void> {
    if (!this.large && !keepsFeatures(setting)) return;
    await this.attributors.get(setting.key)?.release();
    this.attributors.delete(setting.key);
  }

  async release(): Promise<void> {
    for (const attributor of this.attributors.values()) await attributor.release();
    this.attributors.clear();
  }
}

/** The values that metrics judge: patches, or words. */
export function playersOf(result: Attribution, modality: Modality): Float32Array | undefined {
  if (modality === 'image') return result.image?.patches;
  return result.text && Float32Array.from(result.text.words, w => w.value);
}
