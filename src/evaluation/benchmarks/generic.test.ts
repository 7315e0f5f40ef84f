import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generic } from './generic.ts';
import { withoutInstruction } from './loading/prompts.ts';
import { pythonList } from './loading/python-list.ts';
import { table } from './testing/fixtures.ts';

const write = (name: string, text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'narrows-generic-')), name);
  writeFileSync(file, text);
  return file;
};

describe('questions of one’s own', () => {
  it('knows kinds by options and answers', async () => {
    const one = async (row: object) => (await generic.load({ data: write('a.jsonl', `${JSON.stringify(row)}\n`) })).questions[0];
    expect(await one({ id: 'x', question: 'Is it?', answer: 'Yes' })).toMatchObject({ id: 'x', kind: 'yes-no', answers: ['yes'] });
    expect(await one({ question: 'Which?', options: ['red', 'blue'], answer: 'blue' })).toMatchObject({
      id: 0,
      kind: 'choice',
      answers: ['B'],
    });
    expect(await one({ question: 'Which?', A: 'red', B: 'blue', answer: 'a' })).toMatchObject({
      kind: 'choice',
      options: ['red', 'blue'],
      answers: ['A'],
    });
    expect(await one({ question: 'What?', answers: ['red', 'crimson'] })).toMatchObject({ kind: 'short', answers: ['red', 'crimson'] });
    expect(await one({ question: 'Why?' })).toMatchObject({ kind: 'open', answers: [] });
  });

  it('takes a field map, constants in it, and names what it does not know', async () => {
    const data = write('a.csv', 'q,gold,note\n"What, then?",red,n\n');
    const set = await generic.load({ data, fields: { question: 'q', answer: 'gold', kind: '=contains' } });
    expect(set.questions).toMatchObject([{ text: 'What, then?', kind: 'short', answers: ['red'], facts: { note: 'n' } }]);
    expect(set.scorer).toBe('contains');
    await expect(generic.load({ data, fields: { question: 'Q' } })).rejects.toThrow(
      /line 2: column Q should hold text, but holds nothing; its columns are q, gold, note/,
    );
    await expect(generic.load({ data, fields: { answr: 'gold' } })).rejects.toThrow(/has no field "answr": did you mean answer/);
    await expect(generic.load({ data, fields: { question: 'q', kind: '=maybe' } })).rejects.toThrow(
      /line 2: the kind is "maybe"; it may be yes-no, choice/,
    );
    await expect(generic.load({ data, fields: { question: 'q', answer: 'gold', kind: '=yes-no' } })).rejects.toThrow(
      /a question of kind yes-no is "red"/,
    );
  });

  it('refuses an answer among no option, and says where kinds are mixed', async () => {
    await expect(generic.load({ data: write('a.jsonl', '{"question":"Which?","options":["x","y"],"answer":"C"}\n') })).rejects.toThrow(
      /line 1: the answer "C" is neither the letter, the number from 0 nor the text of one of the 2 options/,
    );
    const { warnings } = await generic.load({
      data: write('b.jsonl', '{"question":"Is it?","answer":"no"}\n{"question":"What?","answer":"x"}\n'),
    });
    expect(warnings).toEqual([expect.stringMatching(/several kinds \(yes-no, exact\)/)]);
  });

  it('reads parquet, and one question twice', async () => {
    const { questions } = await generic.load({ data: table('POPE') });
    expect(questions.length).toBe(12);
    expect(new Set(questions.map(q => q.key)).size).toBe(12);
    expect(questions[0]).toMatchObject({ kind: 'yes-no', category: 'adversarial' });
  });
});

describe('small readers', () => {
  it.each([
    ["['$6', '$7']", ['$6', '$7']],
    [`["it's", 'a "b"', 'x\\ny', 'back\\\\slash', '\\xe9\\u00bd']`, ["it's", 'a "b"', 'x\ny', 'back\\slash', 'é½']],
    ['[]', []],
    ['[1, None, 2.5,]', ['1', 'None', '2.5']],
    ["['a' 'b']", undefined],
    ["['a'", undefined],
    ['A. x', undefined],
  ])('%s', (text, list) => expect(pythonList(text)).toEqual(list));

  it('takes instructions about the answer away', () => {
    expect(withoutInstruction('Is it?\nAnswer the question using a single word or phrase.')).toBe('Is it?');
    expect(withoutInstruction('Is it? Please answer yes or no.')).toBe('Is it?');
    expect(withoutInstruction("Which?\nA. x\nAnswer with the option's letter from the given choices directly.")).toBe('Which?\nA. x');
    expect(withoutInstruction('Please answer yes or no. Why?')).toBe('Please answer yes or no. Why?');
  });
});
