/** The multiple-choice and open parsers on answers that the official programs read (testdata/choice). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLmmsEvalChoice } from './lmms-eval-choice.ts';
import { parseLmmsEvalMmmuChoice } from './lmms-eval-mmmu-choice.ts';
import { parseLmmsEvalScienceQa } from './lmms-eval-scienceqa.ts';
import { parseMmmuChoice } from './mmmu-choice.ts';
import { isMmmuOpenRight, parseMmmuOpen } from './mmmu-open.ts';
import { mmstarCredits, parseMmstar } from './mmstar.ts';
import { roundToCents, toFloat } from './python-text.ts';
import { parseVlmEvalKitChoice } from './vlmevalkit-choice.ts';

const load = (name: string) => JSON.parse(readFileSync(new URL(`../testdata/choice/${name}`, import.meta.url), 'utf8'));
const { options, rows } = load('answers.json') as { options: Record<string, string[]>; rows: Record<string, string | null>[] };

describe.each([
  ['mmmu', parseMmmuChoice],
  ['lmms_eval_mmmu', parseLmmsEvalMmmuChoice],
  ['lmms_eval_extract', parseLmmsEvalChoice],
  ['vlmevalkit', parseVlmEvalKitChoice],
  ['mmstar', parseMmstar],
  ['lmms_eval_scienceqa', parseLmmsEvalScienceQa],
] as const)('%s', (program, parse) => {
  it('reads every answer as the program does', () => {
    expect(rows.length).toBe(136);
    const none = program.endsWith('mmmu') ? 'random' : null;
    const read = rows.map(row => [row.options, row.answer, parse(row.answer as string, options[row.options as string]) ?? none]);
    expect(read).toEqual(rows.map(row => [row.options, row.answer, row[program]]));
  });
});

describe('open answers of MMMU', () => {
  const { rows: open } = load('open.json') as { rows: { gold: string | string[]; answer: string; parsed: unknown[]; correct: boolean }[] };
  const written = (value: unknown): string =>
    Number.isNaN(value) ? 'float:nan' : value === Number.POSITIVE_INFINITY ? 'float:inf' : JSON.stringify(value);
  const plain = (value: unknown): string => (typeof value === 'string' && value.startsWith('float:') ? value : JSON.stringify(value));

  it.each(open.map(row => [row.answer, row]))('%j', (_, { answer, gold, parsed, correct }) => {
    const candidates = parseMmmuOpen(answer);
    expect(candidates.map(written).sort()).toEqual(parsed.map(plain).sort());
    expect(isMmmuOpenRight(candidates, [gold].flat())).toBe(correct);
  });
});

describe('MMStar', () => {
  it('credits the first character and the one behind a lead', () => {
    expect(mmstarCredits('the answer is c')).toEqual(['T', 'C']);
    expect(mmstarCredits('(b) x')).toEqual(['(', 'B']);
    expect(mmstarCredits('(')).toEqual(['(']);
    expect(mmstarCredits('')).toEqual([]);
  });
});

describe('lmms-eval', () => {
  it('looks behind the first place of every phrase, also of one that holds another', () => {
    expect(parseLmmsEvalChoice('the choice is A, B no; my choice is A indeed', ['one', 'two'])).toBe('A');
    expect(parseLmmsEvalChoice('the choice is A, B no; now choice is A indeed', ['one', 'two'])).toBe('B');
  });
});

describe('VLMEvalKit', () => {
  it('takes a letter among the last four words only', () => {
    const options = ['one', 'two'];
    expect(parseVlmEvalKitChoice('B is right here', options)).toBe('B');
    expect(parseVlmEvalKitChoice('B is the right choice', options)).toBeNull();
  });
});

describe('numbers as Python has them', () => {
  it.each([
    ['1_000', 1000],
    [' 8. ', 8],
    ['-.5', -0.5],
    ['８', 8],
    ['٣', 3],
    ['٩٠', 90],
    ['𝟗𝟣', 91],
    ['1e3', 1000],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['1__0', undefined],
    ['0x10', undefined],
    ['10²', undefined],
    ['½', undefined],
    ['', undefined],
    ['8,5', undefined],
  ])('float(%j) is %d', (text, value) => expect(toFloat(text)).toEqual(value));

  it('rounds halves of a cent to the even one', () => {
    expect([0.125, 0.375, -0.125, 2.675, 1e300].map(roundToCents)).toEqual([0.12, 0.38, -0.12, 2.67, 1e300]);
  });
});
