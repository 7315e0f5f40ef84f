/** @file Merges of a byte-pair vocabulary in the order in which Hugging Face's Rust tokenizers are to carry them out. */
import type { Piece } from './model-file.ts';

/**
 * Every way to put a piece together from two others, best score first, of equal scores the longest left part, then the longest right part.
 * Source: `generate_merges` of transformers' convert_slow_tokenizer.py.
 * @param known texts that a merge may be made of
 */
export function mergesOf(pieces: readonly Piece[], known: ReadonlySet<string>): [string, string][] {
  const found: { left: string; right: string; score: number; lengths: readonly [number, number] }[] = [];
  for (const { text, score } of pieces) {
    const characters = [...text];
    for (let n = 1, at = characters[0]?.length ?? 0; n < characters.length; at += characters[n++].length) {
      const [left, right] = [text.slice(0, at), text.slice(at)];
      if (known.has(left) && known.has(right)) found.push({ left, right, score, lengths: [n, characters.length - n] });
    }
  }
  found.sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1]);
  return found.map(({ left, right }) => [left, right]);
}
