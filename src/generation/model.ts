/** @file What generation asks of a model: to read prompts, and to go on token by token. LlavaModel is one. */
import type { FloatTensor } from '../tensor/tensor.ts';

/** A prompt as tokens; a model may want more, such as images. */
export interface Prompt {
  readonly ids: readonly number[];
}

/** A batch of prompts being continued. */
export interface Decoding {
  /** [rows, vocabulary]: scores of each row's next token */
  readonly logits: FloatTensor;
  /** Adds one token to every row. */
  step(tokens: readonly number[], options?: { readonly signal?: AbortSignal }): Promise<FloatTensor>;
  /** Goes on with some rows only, in the order given. */
  keep(rows: readonly number[]): void;
}

/** A model that continues prompts. */
export interface GenerativeModel<P extends Prompt = Prompt> {
  start(prompts: readonly P[], options?: { readonly signal?: AbortSignal }): Promise<Decoding>;
}
