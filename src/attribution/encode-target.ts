/** @file Encodes what a call asks to be explained into targets for both towers (see target.ts); the kinds are in targets/. */
import type { DualEncoder } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import type { EncodedPairs } from './pair.ts';
import { row } from './rows.ts';
import { type TargetSpec, unit } from './target.ts';
import { contrast } from './targets/contrast.ts';
import { labels } from './targets/labels.ts';
import { otherImage } from './targets/other-image.ts';
import { pairTargets } from './targets/pair.ts';
import { prompts } from './targets/prompts.ts';
import type { TargetEncoder, Targets } from './targets/target-kind.ts';

/** The encoder of each key of a `TargetSpec`. */
const ENCODERS: { readonly [K in Exclude<keyof TargetSpec, 'imageName'>]-?: TargetEncoder<NonNullable<TargetSpec[K]>> } = {
  against: contrast,
  labels,
  templates: prompts,
  image: otherImage,
};

/** The targets of both towers. @param options.imageSize of another image, as for the pairs @throws NarrowsError for texts that cannot be encoded, a template without {}, or contradicting wishes */
export async function encodeTargets(
  model: DualEncoder,
  encoded: EncodedPairs,
  spec: TargetSpec = {},
  { imageSize, warn = () => {} }: { readonly imageSize?: number; readonly warn?: (message: string) => void } = {},
): Promise<Targets> {
  const keys = Object.keys(ENCODERS) as (keyof typeof ENCODERS)[];
  const asked = keys.filter(key => spec[key] !== undefined);
  if (asked.length > 1)
    throw new NarrowsError(`Only one target can be explained at a time, got ${asked.join(' and ')}.`, { kind: 'usage' });
  const images = encoded.pairs.map((_, p) => unit(row(encoded.image.features, p)));
  const captions = encoded.pairs.map((_, p) => unit(row(encoded.text.features, p)));
  const context = { model, encoded, images, captions, imageSize, imageName: spec.imageName, warn };
  const [key] = asked;
  if (key === undefined) return pairTargets(context);
  return (ENCODERS[key] as TargetEncoder<unknown>)(context, spec[key]);
}
