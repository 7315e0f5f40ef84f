/** @file Phrases of a caption: where they stand, and what of a caption's words belongs to them. */
import { expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { phrasesByCommas, phrasesByText, phraseValue } from './phrases.ts';

const REPORT = 'Right pleural effusion, no pneumothorax; nodule of 4.5 mm (was 3,5 mm).\nHeart size normal.';

it('cuts at commas, semicolons, stops and line ends, never inside of a number', () => {
  const phrases = phrasesByCommas(REPORT);
  expect(phrases.map(p => p.text)).toEqual([
    'Right pleural effusion',
    'no pneumothorax',
    'nodule of 4.5 mm (was 3,5 mm)',
    'Heart size normal',
  ]);
  for (const { text, start, end } of phrases) expect(REPORT.slice(start, end)).toBe(text);
  expect(phrasesByCommas('one finding')).toEqual([{ text: 'one finding', start: 0, end: 11 }]);
  expect(phrasesByCommas(' ,; . ')).toEqual([]);
});

it('finds phrases as they stand in the caption, the next place for one that is given again', () => {
  const caption = 'No effusion left, effusion right';
  expect(phrasesByText(caption, ['EFFUSION', ' effusion right', 'effusion'])).toEqual([
    { text: 'effusion', start: 3, end: 11 },
    { text: 'effusion right', start: 18, end: 32 },
    { text: 'effusion', start: 18, end: 26 },
  ]);
  expect(() => phrasesByText(caption, ['oedema'])).toThrow(NarrowsError);
  expect(() => phrasesByText(caption, ['left', 'left'])).toThrow('does not hold the phrase "left" once more');
  expect(() => phrasesByText(caption, [' '])).toThrow('does not hold the phrase ""');
});

it('adds up the words inside, a word that is cut by its share', () => {
  const words = [
    { start: 0, end: 2, value: 1 },
    { start: 3, end: 7, value: 10 },
    { start: 8, end: 9, value: 100 },
  ];
  expect(phraseValue({ text: '', start: 0, end: 7 }, words)).toBe(11);
  expect(phraseValue({ text: '', start: 5, end: 9 }, words)).toBe(105);
});
