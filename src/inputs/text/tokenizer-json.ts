/** @file The parts of a tokenizer's files that are used: tokenizer.json, and the keys of tokenizer_config.json. */

import type { AddedToken } from './added-tokens.ts';
import type { Component } from './component.ts';

/** The parts of tokenizer.json that are used. */
export interface TokenizerJson {
  readonly added_tokens?: readonly AddedToken[];
  readonly normalizer?: Component | null;
  readonly pre_tokenizer?: Component | null;
  readonly post_processor?: Component | null;
  readonly decoder?: Component | null;
  readonly model: Component;
  readonly truncation?: { readonly max_length?: number } | null;
  readonly padding?: { readonly pad_id?: number } | null;
  /**
   * Not a key of Hugging Face's: what SigLIP's tokenizer does with a text before it looks for added tokens. A blank mark goes in front,
   * and what is no added token is lower-cased (`lower_case`).
   */
  readonly siglip_text?: { readonly lower_case: boolean };
}

/** Keys of tokenizer_config.json over those of special_tokens_map.json. */
export type TokenizerConfig = Readonly<Record<string, unknown>>;

/** The text of a special token as configs write it: a string, or an object with `content`. */
export function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}
