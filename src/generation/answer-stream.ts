/** @file One answer, piece by piece, without the white space around it. */
import { type FinishReason, type GenerationOptions, streamTokens } from './generate.ts';
import type { GenerativeModel, Prompt } from './model.ts';

/** An answer that has ended. */
export interface StreamedAnswer {
  /** The pieces joined. */
  readonly text: string;
  readonly finish: FinishReason;
  /** New tokens, with the one that ended the answer. */
  readonly tokens: number;
}

/**
 * Answers a prompt. White space around an answer is no part of it: a tokenizer's blank before the first word, a line end before the end token.
 * @throws as `streamTokens`
 */
export async function* streamAnswer<P extends Prompt>(
  model: GenerativeModel<P>,
  prompt: P,
  options: GenerationOptions,
): AsyncGenerator<string, StreamedAnswer, undefined> {
  let [text, held, tokens] = ['', '', 0];
  let finish: FinishReason = 'length';
  for await (const token of streamTokens(model, [prompt], options)) {
    tokens++;
    finish = token.finish ?? finish;
    const come = text === '' ? (held + token.text).trimStart() : held + token.text;
    const piece = come.trimEnd();
    held = come.slice(piece.length);
    text += piece;
    if (piece) yield piece;
  }
  return { text, finish, tokens };
}
