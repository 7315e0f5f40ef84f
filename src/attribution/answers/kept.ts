/** @file What a model's own bottleneck (Vittle's) keeps of a question's tokens: nats that stand beside what the answer needs of them. */
import { bottleneckOf } from '../../bottleneck/gaussian/llava.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import { LlavaModel } from '../../models/llava/model.ts';
import { NarrowsError } from '../../system/errors.ts';
import { posterior } from '../methods/posterior.ts';
import type { KeptNats } from '../result.ts';
import { cellValues } from './answer-maps.ts';
import { type AnsweredRow, groupWords } from './answer-row.ts';

/** @returns undefined for models without a bottleneck; what hinders its reading is said by `warn` */
export async function keptOf(chat: ChatModel, row: AnsweredRow, warn: (message: string) => void): Promise<KeptNats | undefined> {
  const { model } = chat;
  if (!(model instanceof LlavaModel) || !bottleneckOf(model.config)) return undefined;
  try {
    // The prompt sees nothing of an answer, so that its tokens keep what they keep without one.
    const feeds = { ...row.feeds, ...row.pictureFeeds, pixel_values: row.picture.pixels };
    const run = { name: chat.name, model, feeds, wanted: ['image', 'text'] as const };
    const { tokens, modalities, parameters } = await posterior.explain(run, { layer: 'auto' });
    const words = groupWords(row.question, row.promptTokens);
    return {
      layer: Number(parameters.layer),
      ...(modalities.includes('image') ? { patches: cellValues(row, tokens) } : {}),
      ...(modalities.includes('text')
        ? { words: Float32Array.from(words, word => word.tokens.reduce((sum, i) => sum + tokens[row.promptTokens[i].at], 0)) }
        : {}),
    };
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    warn(`What the model's own bottleneck keeps is left out: ${error.message}`);
    return undefined;
  }
}
