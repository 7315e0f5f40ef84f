/** @file What a finding of the phantom chest is: words, labels of the public sets, and how it is painted with its mask. */
import type { RandomReader } from '../../tensor/random.ts';
import type { Side } from './body.ts';
import type { Film } from './film.ts';

/** Part of a lung. */
export type Zone = 'upper' | 'lower';
/** How large a finding is, in words. */
export type Size = 'small' | 'moderate' | 'large';

/** Where a finding is and how large. What a finding does not have is absent. */
export interface Place {
  readonly side?: Side;
  readonly zone?: Zone;
  readonly size?: Size;
}

/** One kind of finding: an entry of the registry. */
export interface Finding {
  /** Name in words, the same everywhere: in box files, settings and results. */
  readonly name: string;
  /** `lung`: in one lung, of which a lung has at most one; `heart`; `device`. */
  readonly site: 'lung' | 'heart' | 'device';
  /** What its place says. */
  readonly sided: boolean;
  readonly zoned: boolean;
  readonly sized: boolean;
  /** Names of its class in MS-CXR, VinDr-CXR, RSNA and CheXlocalize; absent where the set has none. */
  readonly labels: { readonly msCxr?: string; readonly vindr?: string; readonly rsna?: true; readonly chexlocalize?: string };
  /** Sentences with {side}, {zone}, {size}; the first is the usual one. */
  readonly sentences: readonly string[];
  /** Sentences that say it is not there. */
  readonly absent: readonly string[];
  /** Paints it and returns where it is [height × width] of 0 and 1. Absent where the body itself is the finding. */
  paint(film: Film, place: Place, reader: RandomReader): Uint8Array;
}
