/** @file The mean over prompts around the caption, as zero-shot classification with CLIP has it. */
import { NarrowsError } from '../../system/errors.ts';
import { linearTarget, unit } from '../target.ts';
import { pairTargets } from './pair.ts';
import { encodeTexts, quoted, type TargetEncoder } from './target-kind.ts';

/** Cosine to the mean of the prompts' unit features, made a unit again. @throws NarrowsError (usage) for a template without {} */
export const prompts: TargetEncoder<readonly string[]> = async (context, templates) => {
  const bad = templates.find(t => !t.includes('{}'));
  if (bad !== undefined || templates.length === 0)
    throw new NarrowsError(`The template ${JSON.stringify(bad ?? '')} has no {} for the caption.`, { kind: 'usage' });
  const vectors: Float32Array[] = [];
  for (const pair of context.encoded.pairs) {
    const features = await encodeTexts(
      context,
      templates.map(t => t.replaceAll('{}', pair.text)),
    );
    vectors.push(unit(features[0].map((_, i) => features.reduce((sum, prompt) => sum + prompt[i], 0))));
  }
  const description = `cosine to the mean of ${templates.length} prompts (${quoted(templates)})`;
  return { ...pairTargets(context), image: linearTarget(vectors, { kind: 'prompts', description }) };
};
