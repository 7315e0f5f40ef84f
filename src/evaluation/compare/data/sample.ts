/** @file What a comparison is made on: pairs whose ground truth may be known, and the sources they come from. */

import type { Pair } from '../../../attribution/pair.ts';
import type { ImageReadOptions } from '../../../inputs/image/image-reading.ts';
import type { Modality } from '../../../models/dual-encoder.ts';
import type { Style } from '../../../scenes/sprite-atlas.ts';

/** A mask over a picture, 1 where the named thing is, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A pair of which one side's maps are judged. */
export interface CompareSample {
  /** Readable and unique in its source. */
  readonly id: string;
  /** Pairs of one group are summed up together: a style of scenes, else the file's name. */
  readonly group: string;
  readonly modality: Modality;
  readonly pair: Pair;
  /** Images: where the named thing is, in pixels of the picture. */
  readonly truth?: Mask;
  /** Further columns of the data file, as they stand there. */
  readonly further?: Readonly<Record<string, unknown>>;
  /** Captions: spans [start, end) of the words that the picture shows. */
  readonly named?: readonly (readonly [number, number])[];
}

/** A sample before it is read. */
export type SampleName = Pick<CompareSample, 'id' | 'group' | 'modality'>;

/** A list of samples, each read when it is asked for. */
export interface SampleSource {
  /** In words, for the record. */
  readonly description: string;
  readonly names: readonly SampleName[];
  /** @throws NarrowsError for a picture or a mask that cannot be read, naming file and line */
  read(index: number): Promise<CompareSample>;
}

/** Scenes of one or several art sets that are summed up together. */
export interface StyleGroup {
  readonly name: string;
  readonly styles: readonly Style[];
}

interface Common {
  readonly modalities: readonly Modality[];
  readonly seed: number;
  /** How picture files are read. */
  readonly pictures?: Pick<ImageReadOptions, 'autoOrient' | 'window' | 'frame' | 'keepTags'>;
}

/** Where samples come from; plain data, so that workers can open the same. */
export type DataSpec = Common &
  (
    | { readonly kind: 'scenes'; readonly groups: readonly StyleGroup[]; readonly samples: number }
    | { readonly kind: 'coco'; readonly file: string; readonly images?: string; readonly template: string; readonly samples?: number }
    | {
        readonly kind: 'truth';
        readonly file: string;
        /** A form of `truth/registry.ts`; by the file where it is not given. */
        readonly form?: string;
        readonly images?: string;
        readonly template: string;
        readonly samples?: number;
      }
    | { readonly kind: 'jsonl'; readonly file: string; readonly samples?: number }
  );
