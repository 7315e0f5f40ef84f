/** @file SentencePiece as a token model: cuts, joins neighbours that are unknown, falls back on bytes. */
import type { Component, Piece as Placed, TokenModel } from '../component.ts';
import { cutBytePairs, cutUnigram, lookupOf, type Part } from './cut.ts';
import type { Piece } from './model-file.ts';

/** The `model` entry that `siglipJson` makes of a model file; tokenizer.json does not know it. */
export interface SentencePieceEntry extends Component {
  readonly type: 'SentencePiece';
  readonly algorithm: 'unigram' | 'bpe';
  readonly pieces: readonly Piece[];
  readonly unk_id: number;
  readonly byte_fallback: boolean;
  /** Put before every text and taken off again: as many tokens as it takes by itself, whatever they have become in the text. */
  readonly prefix: string;
}

const encoder = new TextEncoder();
const hexByte = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

/** The token model of an entry. */
export function sentencePieceModel(entry: SentencePieceEntry): TokenModel {
  const vocabulary = new Map(entry.pieces.map((piece, id) => [piece.text, id]));
  const lookup = lookupOf(entry.pieces, entry.unk_id);
  const cutText = entry.algorithm === 'unigram' ? cutUnigram(lookup) : cutBytePairs(lookup);
  const place = (text: string): Placed[] => {
    const out: Placed[] = [];
    let last: Part | undefined;
    for (const part of cutText(text)) {
      const unknown = part.id === entry.unk_id;
      if (unknown && entry.byte_fallback) {
        for (const byte of encoder.encode(text.slice(part.from, part.to)))
          out.push({ id: vocabulary.get(hexByte(byte)) ?? entry.unk_id, from: part.from, to: part.to });
      } else if (unknown && last?.id === entry.unk_id) out[out.length - 1] = { ...out[out.length - 1], to: part.to };
      else out.push(part);
      last = part;
    }
    return out;
  };
  const { prefix } = entry;
  const dropped = place(prefix).length;
  return {
    vocabulary,
    unknownId: entry.unk_id,
    cut(text) {
      return place(prefix + text)
        .slice(dropped)
        .map(({ id, from, to }) => ({ id, from: Math.max(0, from - prefix.length), to: Math.max(1, to - prefix.length) }));
    },
  };
}
