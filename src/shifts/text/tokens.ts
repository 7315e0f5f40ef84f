/** @file Texts in pieces: what is protected, words and marks as nlpaug splits them, and back. */
import type { RandomReader } from '../../tensor/random.ts';

/** A run of text: protected, or free with the white space around it taken off. */
export interface Piece {
  readonly text: string;
  readonly kept: boolean;
  readonly before: string;
  readonly after: string;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Cuts a text at its protected strings, the longest first; one that begins or ends with a letter or digit is not found inside a word. */
export function splitProtected(text: string, protect: readonly string[] = []): Piece[] {
  const strings = protect.filter(s => s.length > 0).sort((a, b) => b.length - a.length);
  const pattern = strings.map(
    s => `${/^[\p{L}\p{N}_]/u.test(s) ? '(?<![\\p{L}\\p{N}_])' : ''}${escaped(s)}${/[\p{L}\p{N}_]$/u.test(s) ? '(?![\\p{L}\\p{N}_])' : ''}`,
  );
  const parts = strings.length ? text.split(new RegExp(`(${pattern.join('|')})`, 'u')) : [text];
  return parts.map((part, i) => {
    if (i % 2) return { text: part, kept: true, before: '', after: '' };
    const trimmed = part.trim();
    const start = part.length - part.trimStart().length;
    return { text: trimmed, kept: false, before: part.slice(0, start), after: part.slice(start + trimmed.length) };
  });
}

/** Puts pieces together again: white space next to protected strings, and at the ends, is what it was. */
export const joinPieces = (pieces: readonly Piece[], texts: readonly string[]): string =>
  pieces.map((piece, i) => (texts[i] === '' ? piece.before : piece.before + texts[i] + piece.after)).join('');

/** Words and single marks, without white space (nlpaug's tokenizer). */
export const tokenize = (text: string): string[] => text.split(/([^\p{L}\p{N}_])/u).filter(t => t.trim().length > 0);

/** Joins with spaces, takes them away before marks that end a clause and inside brackets (nlpaug's reverse tokenizer). */
export const detokenize = (tokens: readonly string[]): string =>
  tokens
    .join(' ')
    .replace(/\s([.,:;?!%]+)([ '"`])/g, '$1$2')
    .replace(/\s([.,:;?!%]+)$/g, '$1')
    .replace(/\s([[({<])\s/g, ' $1')
    .replace(/\s([\])}>])\s/g, '$1 ')
    .trim();

/** `count` of the items, drawn without replacement; all of them, in random order, where there are no more. */
export const sampleFrom = <T>(items: readonly T[], count: number, reader: RandomReader): T[] => reader.shuffle(items).slice(0, count);
