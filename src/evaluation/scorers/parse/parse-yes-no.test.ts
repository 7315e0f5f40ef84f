/** The yes/no parsers on answers that the official programs read (testdata/yesno). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLmmsEvalMme } from './lmms-eval-mme.ts';
import { parseLmmsEvalPope } from './lmms-eval-pope.ts';
import { parseMme } from './mme.ts';
import { parsePope } from './pope.ts';
import { parseStrictYesNo } from './strict-yes-no.ts';
import { parseVlmEvalKitYesNo, processPunctuation } from './vlmevalkit-yes-no.ts';

const { rows } = JSON.parse(readFileSync(new URL('../testdata/yesno/answers.json', import.meta.url), 'utf8')) as {
  rows: Record<string, string>[];
};

describe.each([
  ['pope', parsePope],
  ['lmms_eval_pope', parseLmmsEvalPope],
  ['mme', parseMme],
  ['lmms_eval_mme', parseLmmsEvalMme],
  ['vlmevalkit', parseVlmEvalKitYesNo],
] as const)('%s', (program, parse) => {
  it('reads every answer as the program does', () => {
    const none = program === 'vlmevalkit' ? 'unknown' : 'other';
    expect(rows.length).toBe(116);
    expect(rows.map(row => [row.answer, parse(row.answer) ?? none])).toEqual(rows.map(row => [row.answer, row[program]]));
  });
});

describe('punctuation of the VQA evaluation', () => {
  it('takes a mark next to a space away, makes a space of another, and takes all away after 1,000', () => {
    expect(processPunctuation('yes/no')).toBe('yes no');
    expect(processPunctuation('yes / no/maybe')).toBe('yes  nomaybe');
    expect(processPunctuation('1,000 yes/no')).toBe('1000 yesno');
    expect(processPunctuation('3.5. ok.')).toBe('3.5 ok');
  });
  it('leaves full stops behind the 32nd', () => {
    expect(processPunctuation('.'.repeat(40))).toBe('.'.repeat(8));
  });
});

describe('strict', () => {
  it.each([
    ['Yes', 'yes'],
    ['NO!', 'no'],
    ['**No**', 'no'],
    ['1. No', 'no'],
    ['Answer: yes.', 'yes'],
    ['n', 'no'],
    ['Y.', 'yes'],
    ['Yes, there is not only a dog but also a cat.', 'yes'],
    ["No, there isn't.", 'no'],
    ['The answer is yes.', 'yes'],
    ['There is no dog in the image.', 'no'],
    ['Ｎｏ', 'no'],
  ])('%j is %s', (answer, expected) => expect(parseStrictYesNo(answer)).toBe(expected));
  it.each(['', ' ', '.', 'yes and no', 'Yes/No', 'snow', 'eyes', 'I know', 'Not sure', 'n dogs', 'A dog.', '否'])('%j is neither', answer =>
    expect(parseStrictYesNo(answer)).toBeNull(),
  );
});
