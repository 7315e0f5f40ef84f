/**
 * @file A map for each phrase of a caption: the findings of a report. Each phrase is explained as a caption of its own, so that its map says
 * what the model finds for these words alone; the whole caption's words are added up phrase by phrase next to it.
 */
import { type Phrase, phraseValue } from '../inputs/text/phrases.ts';
import { NarrowsError } from '../system/errors.ts';
import type { AttributeRun, Attributor } from './attributor.ts';
import type { Pair } from './pair.ts';
import type { PairAttribution } from './result.ts';

/** A phrase with its own result. */
export interface PhraseAttribution extends Phrase {
  /** The result on the picture and the phrase as a caption. */
  readonly result: PairAttribution;
  /** The sum of the phrase's words in the whole caption's map; undefined where only the image is explained. */
  readonly inCaption?: number;
}

/**
 * @returns the whole caption's result and one for each phrase, in the given order
 * @throws NarrowsError where there is no phrase, and as `attributeAll`
 */
export async function attributePhrases(
  method: Pick<Attributor, 'attributeAll'>,
  pair: Pair,
  phrases: readonly Phrase[],
  run: AttributeRun = {},
): Promise<{ readonly whole: PairAttribution; readonly phrases: readonly PhraseAttribution[] }> {
  if (phrases.length === 0) throw new NarrowsError('The caption has no phrase to explain.', { kind: 'usage' });
  // One by one: the runs share the graphs, and memory is that of one pair.
  const [whole] = await method.attributeAll([pair], run);
  const made: PhraseAttribution[] = [];
  for (const phrase of phrases) {
    const [result] = await method.attributeAll([{ ...pair, text: phrase.text }], run);
    made.push({ ...phrase, result, ...(whole.text ? { inCaption: phraseValue(phrase, whole.text.words) } : {}) });
  }
  return { whole, phrases: made };
}
