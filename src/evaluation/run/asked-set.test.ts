import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { type Asked, batchesOf, lengthsOf } from './asked-set.ts';
import { yesNoQuestions } from './testing/scored.ts';

const asked = yesNoQuestions(4).map((question, number): Asked => {
  const { text } = question;
  return { question, prompt: text, words: text, turn: { number, text, pictures: [] }, ...(number === 3 ? { refused: 'no words.' } : {}) };
});

describe('lengthsOf', () => {
  it('keeps why a question cannot be asked, and throws an error of the program', () => {
    const { lengths, refused } = lengthsOf(asked, text => {
      if (text.includes('thing 1')) throw new NarrowsError('too long.');
      return text.length;
    });
    expect(lengths).toEqual([asked[0].turn.text.length, 0, asked[2].turn.text.length, 0]);
    expect([...refused]).toEqual([
      [1, 'too long.'],
      [3, 'no words.'],
    ]);
    expect(() =>
      lengthsOf(asked, () => {
        throw new TypeError('a bug');
      }),
    ).toThrow('a bug');
  });
});

describe('batchesOf', () => {
  it('has every question once, none with more than its size, and is the same each time', () => {
    const lengths = Array.from({ length: 1000 }, (_, i) => (i * 37) % 101);
    const pieces = batchesOf(lengths, 4);
    const all = pieces.flat(2);
    expect(all.toSorted((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
    expect(Math.max(...pieces.flat().map(batch => batch.length))).toBe(4);
    // Pieces stay near the set's order.
    for (const [p, piece] of pieces.entries()) {
      const numbers = piece.flat();
      expect(Math.min(...numbers)).toBe(pieces.slice(0, p).flat(2).length);
    }
    expect(batchesOf(lengths, 4)).toEqual(pieces);
  });
});
