/** @file The model of tokenizer.json: cuts one pre-token into vocabulary entries and says how many characters each covers. */

import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { Component, Piece, TokenModel } from './component.ts';
import { BPE, Unigram, WordPiece } from './library.ts';
import { sentencePiece } from './sentencepiece/parts.ts';

/** Assigns ids to consecutive parts of a pre-token; parts outside the vocabulary become the unknown token (neighbours fused if `fuse`). */
function place(parts: readonly string[], lengths: readonly number[], model: Omit<TokenModel, 'cut'>, fuse: boolean): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  parts.forEach((part, i) => {
    const from = at;
    at += lengths[i];
    const id = model.vocabulary.get(part);
    if (id !== undefined) pieces.push({ id, from, to: at });
    else if (model.unknownId !== undefined) {
      const last = pieces[pieces.length - 1];
      if (fuse && last?.id === model.unknownId) pieces[pieces.length - 1] = { ...last, to: at };
      else pieces.push({ id: model.unknownId, from, to: at });
    }
  });
  return pieces;
}

const encoder = new TextEncoder();
const hexByte = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

/** A part outside the vocabulary as its bytes' entries, each of which covers all of it; undefined where the vocabulary lacks one of them. */
function asBytes(part: string, from: number, vocabulary: ReadonlyMap<string, number>): Piece[] | undefined {
  const ids = Array.from(encoder.encode(part), byte => vocabulary.get(hexByte(byte)));
  return ids.every(id => id !== undefined) ? ids.map(id => ({ id, from, to: from + part.length })) : undefined;
}

function bytePairs(config: Component): TokenModel {
  const inner = new BPE(config);
  const base = { vocabulary: inner.tokens_to_ids, unknownId: inner.unk_token_id };
  const suffix = String(config.end_of_word_suffix ?? '');
  const cut = (text: string): Piece[] => {
    if (inner.ignore_merges && base.vocabulary.has(text)) return [{ id: base.vocabulary.get(text) as number, from: 0, to: text.length }];
    const parts = inner.bpe(text);
    const lengths = parts.map((part, i) => part.length - (i === parts.length - 1 ? suffix.length : 0));
    if (config.byte_fallback !== true) return place(parts, lengths, base, config.fuse_unk === true);
    const pieces: Piece[] = [];
    let at = 0;
    parts.forEach((part, i) => {
      const from = at;
      at += lengths[i];
      const bytes = base.vocabulary.has(part) ? undefined : asBytes(part, from, base.vocabulary);
      pieces.push(...(bytes ?? place([part], [lengths[i]], base, false).map(({ id }) => ({ id, from, to: at }))));
    });
    return pieces;
  };
  return { ...base, cut };
}

function wordPieces(config: Component): TokenModel {
  const inner = new WordPiece(config);
  const base = { vocabulary: inner.tokens_to_ids, unknownId: inner.unk_token_id };
  const prefix = String(config.continuing_subword_prefix ?? '##').length;
  const cut = (text: string): Piece[] => {
    const parts = inner.encode([text]);
    // A word that cannot be put together is one unknown token as a whole.
    if (parts.length === 1) return place(parts, [text.length], base, false);
    return place(
      parts,
      parts.map((part, i) => part.length - (i === 0 ? 0 : prefix)),
      base,
      false,
    );
  };
  return { ...base, cut };
}

function unigram(config: Component, endToken: string | undefined): TokenModel {
  const inner = new Unigram(config, endToken);
  const base = { vocabulary: inner.tokens_to_ids, unknownId: inner.unk_token_id };
  const cut = (text: string): Piece[] => {
    const parts = inner.tokenize(text);
    const lengths = parts.map(part => part.length);
    const pieces = place(parts, lengths, base, true);
    if (config.byte_fallback !== true) return pieces;
    return pieces.flatMap(piece =>
      piece.id === base.unknownId ? (asBytes(text.slice(piece.from, piece.to), piece.from, base.vocabulary) ?? [piece]) : [piece],
    );
  };
  return { ...base, cut };
}

function wordLevel(config: Component): TokenModel {
  const vocabulary = new Map(Object.entries(config.vocab as Record<string, number>));
  const base = { vocabulary, unknownId: vocabulary.get(String(config.unk_token ?? '<unk>')) };
  return { ...base, cut: text => place([text], [text.length], base, false) };
}

/**
 * The model that the `model` entry of tokenizer.json describes (BPE, WordPiece, Unigram or WordLevel).
 * @param endToken the end-of-sequence token's text, which Unigram's lattice asks for.
 * @throws NarrowsError for another type or a malformed entry.
 */
export function createTokenModel(config: Component, endToken?: string): TokenModel {
  try {
    if (config.type === 'BPE' || (config.type === undefined && config.merges)) return bytePairs(config);
    if (config.type === 'Unigram') return unigram(config, endToken);
    if (config.type === 'WordPiece') return wordPieces(config);
    if (config.type === 'WordLevel') return wordLevel(config);
    if (config.type === 'SentencePiece') return sentencePiece().model(config);
  } catch (error) {
    throw new NarrowsError(`tokenizer.json: its model entry is malformed (${messageOf(error)}); get the file again.`, { cause: error });
  }
  throw new NarrowsError(`tokenizer.json: the model type "${config.type}" is not supported (BPE, WordPiece, Unigram and WordLevel are).`);
}
