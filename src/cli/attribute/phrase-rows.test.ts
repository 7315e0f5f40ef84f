/** Which rows `--pairs` gets where phrases are explained. */
import { expect, it } from 'vitest';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import { phraseRows } from './phrase-rows.ts';

const pair = (line: number, text: string, more: Partial<ListedPair> = {}): ListedPair => ({
  ...{ image: `${line}.png`, path: `/${line}.png`, text, line, where: `l.csv, line ${line}`, further: { age: line } },
  ...more,
});
const shown = (pairs: readonly ListedPair[], spans?: readonly string[]): unknown[] =>
  phraseRows(pairs, spans).rows.map(row => [row.line, row.text, row.further.phrase]);

it('captions are left whole, lists of findings taken apart', () => {
  const listed = [pair(2, 'a cat, a dog'), pair(3, 'x, y', { findings: ['x', 'y'] }), pair(4, '', { findings: [] })];
  expect(shown(listed)).toEqual([
    [2, 'a cat, a dog', undefined],
    [3, 'x', '1 of 2'],
    [3, 'y', '2 of 2'],
  ]);
  expect(phraseRows(listed, undefined).empty).toEqual([4]);
  expect(phraseRows(listed, undefined).rows[1].further).toEqual({ age: 3, phrase: '1 of 2' });
});

it('spans give the caption and its phrases, by commas or by words; one that a caption lacks fails alone', () => {
  expect(shown([pair(2, 'Heart normal, no effusion.')], ['commas'])).toEqual([
    [2, 'Heart normal, no effusion.', 'all'],
    [2, 'Heart normal', '1 of 2'],
    [2, 'no effusion', '2 of 2'],
  ]);
  const { rows, failures } = phraseRows([pair(2, 'No Effusion.'), pair(3, 'x, y', { findings: ['x', 'y'] })], ['effusion', 'nodule']);
  expect(rows.map(row => [row.line, row.text, failures.get(row)?.slice(0, 44)])).toEqual([
    [2, 'No Effusion.', undefined],
    [2, 'Effusion', undefined],
    [2, 'nodule', 'The caption does not hold the phrase "nodule'],
    [3, 'effusion', 'The caption does not hold the phrase "effusi'],
    [3, 'nodule', 'The caption does not hold the phrase "nodule'],
  ]);
});

it('a column that is called phrase stays', () => {
  const [first] = phraseRows([pair(2, 'a', { further: { phrase: 'mine' } })], ['commas']).rows;
  expect(first.further).toEqual({ phrase: 'mine', 'phrase of caption': 'all' });
});
