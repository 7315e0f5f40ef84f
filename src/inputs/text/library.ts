/** @file The parts of @huggingface/tokenizers in use, typed here: its own declarations do not resolve under Node's module rules. */
import * as everything from '@huggingface/tokenizers';

interface Model {
  readonly tokens_to_ids: Map<string, number>;
  readonly unk_token_id?: number;
}

interface Library {
  readonly BPE: new (config: unknown) => Model & { readonly ignore_merges: boolean; bpe(text: string): string[] };
  readonly WordPiece: new (config: unknown) => Model & { encode(texts: string[]): string[] };
  readonly Unigram: new (config: unknown, endToken?: string) => Model & { tokenize(text: string): string[] };
  readonly BertNormalizer: new (config: unknown) => { normalize(text: string): string };
  readonly SplitPreTokenizer: new (config: unknown) => { readonly pattern: RegExp | null };
  readonly SequenceDecoder: new (config: unknown) => { decode(tokens: string[]): string };
}

export const { BPE, WordPiece, Unigram, BertNormalizer, SplitPreTokenizer, SequenceDecoder } = everything as unknown as Library;
