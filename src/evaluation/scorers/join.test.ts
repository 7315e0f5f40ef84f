import { describe, expect, it } from 'vitest';
import type { AnswerRecord, Question } from '../benchmarks/question.ts';
import { joinAnswers } from './join.ts';
import { joinByPosition } from './position-join.ts';

const question = (id: string | number, text: string, more: Partial<Question> = {}): Question => ({
  id,
  key: `${more.split ?? ''}/${id}: ${text}`,
  kind: 'yes-no',
  text,
  pictures: [],
  answers: ['yes'],
  cluster: String(id),
  facts: {},
  where: `questions.jsonl, line ${id}`,
  ...more,
});
let line = 0;
const answer = (id: string | number, text: string, prompt?: string, facts?: Record<string, unknown>): AnswerRecord => ({
  id,
  text,
  where: `answers.jsonl, line ${++line}`,
  ...(prompt === undefined ? {} : { prompt }),
  ...(facts ? { facts } : {}),
});
const texts = (questions: readonly Question[], answers: readonly AnswerRecord[]) =>
  joinAnswers(questions, answers).pairs.map(pair => [pair.question.key, pair.answer.text]);

const dog = question(1, 'Is there a dog in the image?');
const cat = question(2, 'Is there a cat in the image?');

describe('a join', () => {
  it('goes by id, whatever the order, and counts what is missing, double and unknown', () => {
    const bird = question(3, 'Is there a bird?');
    const joined = joinAnswers([dog, cat, bird], [answer(2, 'c'), answer('1', 'd'), answer(2, 'again'), answer(9, '?')]);
    expect(joined.pairs.map(pair => [pair.question.id, pair.answer.text])).toEqual([
      [1, 'd'],
      [2, 'c'],
    ]);
    expect([joined.missing, joined.duplicates, joined.unknown]).toEqual([[bird], 1, 1]);
    expect(joined.warnings.join(' ')).toMatch(
      /1 answer to a question that was answered before: the first one counts \(answers.jsonl, line \d\)/,
    );
    expect(joined.warnings.join(' ')).toMatch(/1 answer to no question of the set: left out/);
  });

  it('knows ids beyond 2^53, as text and as numbers', () => {
    const big = { ...dog, id: 9007199254740993n };
    expect(joinAnswers([big], [answer('9007199254740993', 'x')]).pairs.length).toBe(1);
    expect(() => joinAnswers([big], [answer('9007199254740992', 'x')])).toThrow('None of the 1 answer');
  });

  it('tells questions of one id apart by their words, with instruction, context and options around them', () => {
    const both = [question('a.png', 'Is it red?', { cluster: 'a' }), question('a.png', 'Is it blue?', { cluster: 'a' })];
    const answers = [
      answer('a.png', 'no', 'Is it blue? Please answer yes or no.'),
      answer('a.png', 'yes', '<image>\nIs it  RED?\nAnswer the question using a single word or phrase.'),
    ];
    expect(texts(both, answers)).toEqual([
      ['/a.png: Is it red?', 'yes'],
      ['/a.png: Is it blue?', 'no'],
    ]);
    expect(texts(both, [answer('a.txt', 'no', 'Is it blue?')])).toEqual([['/a.png: Is it blue?', 'no']]);
    expect(() => joinAnswers(both, [answer('a.png', 'no')])).toThrow(/2 questions have the id a.png, .*add the prompt or question/);
  });

  it('takes the longer question where one holds the other', () => {
    const both = [question(5, 'Is it red?'), question(5, 'Is it red? Or blue?')];
    expect(texts(both, [answer(5, 'x', 'Is it red? Or blue?'), answer(5, 'y', 'Is it red?')])).toEqual([
      ['/5: Is it red?', 'y'],
      ['/5: Is it red? Or blue?', 'x'],
    ]);
  });

  it('finds the split of an answer that names it, or gives equal questions their answers in order and says so', () => {
    const splits = ['random', 'popular'].map(split => question(1, 'Is there a dog?', { split }));
    const named = ['popular', 'random'].map(split => answer(1, split, 'Is there a dog?', { category: split }));
    expect(joinAnswers(splits, named).pairs.map(pair => [pair.question.split, pair.answer.text])).toEqual([
      ['random', 'random'],
      ['popular', 'popular'],
    ]);
    const joined = joinAnswers(splits, [answer(1, 'a', 'Is there a dog?'), answer(1, 'b', 'Is there a dog?')]);
    expect(joined.pairs.map(pair => pair.answer.text)).toEqual(['a', 'b']);
    expect(joined.warnings[0]).toContain('given to them in their order');
  });

  it('refuses answers to another version of the questions and quotes both texts', () => {
    const other = [answer(1, 'no', 'Is there a dog in the image?'), answer(2, 'no', 'Is there a horse in the image?')];
    expect(() => joinAnswers([dog, cat], other)).toThrow(
      /answers "Is there a horse in the image\?", but question 2 \(questions.jsonl, line 2\) is "Is there a cat in the image\?" \(1 of 2 answers differ so\)/,
    );
    expect(() => joinAnswers([dog], [answer(1, 'no', 'Is there a dog in the imange?')])).not.toThrow();
  });

  it('takes the key that a run of ours writes', () => {
    const both = [question('a', 'Is it red?'), question('a', 'Is it blue?')];
    expect(texts(both, [answer('a', 'no', 'Is it?', { metadata: { key: both[1].key } })])).toEqual([[both[1].key, 'no']]);
  });

  it('by position shifts the labels behind an answer that is missing, and says so', () => {
    const questions = [1, 2, 3, 4].map(id => question(id, `Is there a thing ${id}?`, { split: id < 4 ? 'random' : 'popular' }));
    const answers = [1, 3, 4].map(id => answer(id, `to ${id}`));
    const joined = joinByPosition(questions, answers);
    expect(joined.pairs.map(pair => [pair.question.id, pair.answer.text])).toEqual([
      [1, 'to 1'],
      [2, 'to 3'],
      [4, 'to 4'],
    ]);
    expect(joined.warnings.at(-1)).toContain('1 of 3 are held against the label of another question');
    const inOrder = joinByPosition(
      questions,
      [1, 2, 3, 4].map(id => answer(id, '')),
    );
    expect(inOrder.warnings).toEqual(['Answers were joined by position, which is the same here as joining them by id.']);
  });
});
