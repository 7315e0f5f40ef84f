/** @file The cosine of picture and caption: what is explained where nothing else is asked for. */
import { linearTarget } from '../target.ts';
import type { TargetContext, Targets } from './target-kind.ts';

/** For the picture the cosine to the caption, for the caption the cosine to the picture. */
export const pairTargets = ({ images, captions }: TargetContext): Targets => ({
  image: linearTarget(captions, { kind: 'caption', description: 'cosine to the caption' }),
  text: linearTarget(images, { kind: 'image', description: 'cosine to the image' }),
});
