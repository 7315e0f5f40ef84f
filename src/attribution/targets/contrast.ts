/** @file Why the caption and not another one: the difference of their cosines. */
import { linearTarget } from '../target.ts';
import { pairTargets } from './pair.ts';
import { encodeTexts, type TargetEncoder } from './target-kind.ts';

/** cos(picture, caption) − cos(picture, other). */
export const contrast: TargetEncoder<string> = async (context, against) => {
  const [other] = await encodeTexts(context, [against]);
  const vectors = context.captions.map(caption => caption.map((v, i) => v - other[i]));
  const description = `cosine to the caption minus cosine to "${against}"`;
  return { ...pairTargets(context), image: linearTarget(vectors, { kind: 'contrast', description }) };
};
