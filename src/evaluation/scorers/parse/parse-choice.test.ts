/** The multiple-choice and open parsers on answers that the official programs read (testdata/choice). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLmmsEvalChoice } from './lmms-eval-choice.ts';
import { parseLmmsEvalMmmuChoice } from './lmms-eval-mmmu-choice.ts';
import { parseLmmsEvalScienceQa } from './lmms-eval-scienceqa.ts';
import { parseMmmuChoice } from './mmmu-choice.ts';
import { isMmmuOpenRight, parseMmmuOpen } from './mmmu-open.ts';
import { mmstarCredits, parseMmstar } from './mmstar.ts';
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
