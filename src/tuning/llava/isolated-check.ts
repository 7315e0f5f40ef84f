/** @file Whether a file's turns can be isolated, asked before the first step. */
import { imageFirst } from '../../inputs/chat/messages.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { ChatReader, ChatSample } from './chat-reader.ts';
import { independentTurns } from './isolated-turns.ts';

function questions(sample: ChatSample): number {
  try {
    return independentTurns(imageFirst(sample).messages).length;
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    throw new NarrowsError(`Sample ${sample.name}: ${error.message}`, { cause: error });
  }
}

/**
 * Looks at every sample's turns, and lets the template render one sample of several questions with pictures and one without.
 * @param file of the samples, for messages @returns a sentence where nothing is changed by isolating
 * @throws NarrowsError naming a sample whose pictures are not in front of its first question, or where the template does not allow it
 */
export async function checkIsolated(reader: ChatReader, samples: readonly ChatSample[], file: string): Promise<string[]> {
  const several = samples.filter(sample => questions(sample) > 1);
  if (several.length === 0) return [`"isolated_turns" changes nothing: no sample of ${file} has more than one question.`];
  for (const pictures of [true, false]) {
    const one = several.find(({ images }) => images.length > 0 === pictures);
    if (!one) continue;
    await reader.prepare([one]);
    reader.encode(one);
  }
  return [];
}
