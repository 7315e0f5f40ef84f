/** Reviews and verdicts of judges as official programs read them (testdata/judge-parse.json, testdata/wildvision-verdicts.json). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stripThinking } from '../../../generation/thinking.ts';
import { type Marks, parseLlavaMarks, parseLmmsEvalCocoMarks, parseLmmsEvalWilderMarks, parseMarks } from './marks.ts';
import { lmmsEvalOutcome, outcomeOf, parseVerdict } from './verdict.ts';

const load = (name: string) => JSON.parse(readFileSync(new URL(`../testdata/${name}`, import.meta.url), 'utf8'));

describe('marks of a review', () => {
  const { rows } = load('judge-parse.json') as { rows: Record<string, unknown>[] };
  const number = (value: unknown): number =>
    value === 'nan' ? Number.NaN : value === 'inf' ? Number.POSITIVE_INFINITY : (value as number);

  it.each([
    ['llava', parseLlavaMarks],
    ['lmms_eval_coco', parseLmmsEvalCocoMarks],
    ['lmms_eval_wilder', parseLmmsEvalWilderMarks],
  ] as const)('%s', (program, parse) => {
    expect(rows.length).toBe(60);
    const read = rows.map(row => [row.review, parse(row.review as string) ?? [-1, -1]]);
    expect(read).toEqual(rows.map(row => [row.review, (row[program] as unknown[]).map(number)]));
  });

  it('reads what a person reads', () => {
    const read = rows.map(row => [row.review, parseMarks(row.review as string) ?? null]);
    expect(read).toEqual(rows.map(row => [row.review, row.meant as Marks | null]));
  });

  it.each([
    ['Score: 9/10, 4.5/10', [9, 4.5]],
    ['<think>1 2</think>\n3 4', [3, 4]],
    ['Assistant 1: 7/10\nAssistant 2: 9/10\nBoth', [7, 9]],
    ['I looked at 2 pictures.\n\n**6, 7**', [6, 7]],
    ['8 7 - Both are good.', [8, 7]],
    ['8, 7, since the first is exact', [8, 7]],
    ['8:7', [8, 7]],
    ['The scores are 8 and 7.', [8, 7]],
    ['Rating: 8 7', [8, 7]],
    ['[[8]] [[7]]', [8, 7]],
    ['{"assistant1": 8, "assistant2": 7}', [8, 7]],
    ['**Assistant 1:** 8 (right)\n\n**Assistant 2:** 7 (wrong colour)', [8, 7]],
    ['Assistant 2: 7, Assistant 1: 8', [8, 7]],
    ['Score for Assistant 1: 8/10\nScore for Assistant 2: 7/10', [8, 7]],
    ['Assistant 1\n8\nAssistant 2\n7', [8, 7]],
    ['1. 8\n2. 7', [8, 7]],
    ['1. Assistant 1 is right.\n2. Assistant 2 is wrong.\n8 7', [8, 7]],
    ['10/10 9/10', [10, 9]],
    // What no person could tell, or would not call marks.
    ['8 7 6\n5 4', undefined],
    ['8/10', undefined],
    ['8/10 N/A', undefined],
    ['10/10', undefined],
    ['Two people and three dogs', undefined],
    ['Assistant 1 saw 2 dogs. Assistant 2 saw 3 cats.', undefined],
    ['Assistant 1: N/A, Assistant 2: 7', undefined],
    ['Assistant 1: -1, Assistant 2: 7', undefined],
    ['3 and 4 dogs are in it', undefined],
  ])('%j', (review, marks) => expect(parseMarks(review)).toEqual(marks));
});

describe('verdicts', () => {
  const { rows } = load('wildvision-verdicts.json') as {
    rows: { judgement: string; verdict: string | null; ask_again: boolean; lmms_eval: string }[];
  };
  const LABELS = { 'much better': 'Better++', better: 'Better', tie: 'Tie', worse: 'Worse', 'much worse': 'Worse++' };

  it.each(rows.map(row => [row.judgement, row] as const))('%j', (judgement, row) => {
    expect(parseVerdict(judgement)).toEqual({ verdict: row.verdict, askAgain: row.ask_again });
    const label = lmmsEvalOutcome(judgement);
    expect(label ? LABELS[label] : 'Unclear').toBe(row.lmms_eval);
  });

  it('mean nothing where they are none of the five', () => {
    expect(outcomeOf('B>>A')).toBe('much better');
    expect([outcomeOf('A<B'), outcomeOf('AB'), outcomeOf(null)]).toEqual([undefined, undefined, undefined]);
  });
});

describe('thinking', () => {
  it.each([
    ['No\n', 'No\n', false, false],
    ['<think>no</think> yes ', 'yes', true, false],
    ['<think>a</think>b<think>c</think> d', 'b d', true, false],
    ['<THINK>\nA?\n</THINK>\nB', 'B', true, false],
    ['A or B? </think>\n\nC', 'C', true, false],
    ['<think>A or B', '', true, true],
    ['B <think>no, wait', 'B', true, true],
    ['<thinking>hm</thinking>D', 'D', true, false],
  ])('%j leaves %j', (raw, text, thought, unclosed) => expect(stripThinking(raw)).toEqual({ text, thought, unclosed }));
});
