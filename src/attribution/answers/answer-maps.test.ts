import { expect, it } from 'vitest';
import { splitMap } from './answer-maps.ts';
import type { AnsweredRow } from './answer-row.ts';

it('gives each cell the values of its tokens, and each word its own, wherever they stand in the row', () => {
  const word = (at: number, special: boolean) => ({ id: at, at, text: `t${at}`, special, start: 0, end: 0 });
  const row = {
    // A token of the whole picture, one between tiles, and two of which one shows two cells.
    picture: { grid: [2, 2], tokenCells: [[0, 1, 2, 3], [], [3], [0, 1]] },
    imagePlaces: [2, 3, 4, 5],
    promptTokens: [word(0, true), word(1, true), word(6, false), word(7, false), word(8, true)],
  } as unknown as AnsweredRow;
  const { image, text } = splitMap(row, { tokens: Float32Array.of(90, 91, 8, 92, 5, 6, 10, 20, 93, 94) });
  expect(Array.from(image!.tokens)).toEqual([2 + 3, 2 + 3, 2, 2 + 5]);
  expect(Array.from(text!.tokens)).toEqual([0, 0, 10, 20, 0]);
});
