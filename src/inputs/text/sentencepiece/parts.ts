/**
 * @file SentencePiece's parts of a tokenizer, where they are there: few checkpoints need them, so they are no import of every tokenizer (a page
 * fetches what is imported). Whoever makes an entry of type `SentencePiece` (tokenizer-json.ts) sets them first.
 */
import { NarrowsError } from '../../../system/errors.ts';
import type { Aligned } from '../aligned.ts';
import type { Component, TokenModel } from '../component.ts';

/** What stands for `SentencePiece` entries of a tokenizer. */
export interface SentencePieceParts {
  model(entry: Component): TokenModel;
  normalizer(entry: Component): (piece: Aligned) => Aligned;
}

let parts: SentencePieceParts | undefined;

/** Sets them. */
export function setSentencePiece(given: SentencePieceParts): void {
  parts = given;
}

/** @throws NarrowsError for a file that names what only Narrows writes in memory */
export function sentencePiece(): SentencePieceParts {
  if (!parts) throw new NarrowsError('tokenizer.json: the type "SentencePiece" is none of its own; get the file again.');
  return parts;
}
