import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndpointCost } from '../../generation/endpoint/client.ts';
import { requestBody } from '../../generation/endpoint/request.ts';
import { contextOf, withBoxTexts } from './context.ts';
import { readJudgeItems } from './files.ts';
import type { JudgeItem, Order } from './item.ts';
import { judgeNoise } from './noise.ts';
import { officialSummary, pythonRound } from './official.ts';
import { judgeMessages } from './prompt.ts';
import { relativeDifference, relativeScore } from './relative.ts';
import { type JudgeInput, judgeResults } from './results.ts';
import { marksOf, officialTuple, type Review, readReviews, reviewRows, writeReviews } from './review.ts';
import { OWN_RULES, readRules } from './rules.ts';
import { compareMarks, plainCategory, questionMarks, scoreMarks } from './score.ts';

const data = (...parts: readonly string[]): string => join(fileURLToPath(new URL('testdata', import.meta.url)), ...parts);
const sets = ['coco', 'wild'] as const;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-judge-'));
});
afterAll(() => rm(folder, { recursive: true }));

const itemsOf = (set: string, model = '7b') =>
  readJudgeItems({
    questions: data(set, 'questions.jsonl'),
    answers: data(set, `answers_made-up-${model}.jsonl`),
    references: data(set, 'reference.jsonl'),
    context: data(set, 'context.jsonl'),
  });
const clustersOf = async (set: string) => {
  const { items } = await itemsOf(set);
  const clusters = new Map(items.map(item => [item.key, item.cluster]));
  return (key: string) => clusters.get(key);
};

describe('what is sent to a judge', () => {
  it.each(sets)('is what LLaVA sends: %s', async set => {
    const { items, warnings, model } = await itemsOf(set);
    expect([items.length, warnings, model]).toEqual([36, [], 'made-up-7b']);
    const rules = await readRules(data(set, 'rule.json'));
    const sent = JSON.parse(readFileSync(data(set, 'sent.json'), 'utf8')) as { question_id: number; messages: unknown }[];
    expect(sent).toHaveLength(6);
    for (const { question_id, messages, ...settings } of sent) {
      const item = items.find(({ id }) => id === question_id)!;
      const body = requestBody('judge', judgeMessages(item, rules.of(item.rule), 'reference first'), { temperature: 0.2, maxTokens: 1024 });
      expect(body).toEqual({ model: 'judge', messages, ...settings });
    }
  });

  it('shows the other answer first when asked to, and leaves out what is not there', () => {
    const item: JudgeItem = {
      ...{ id: 1, key: '1', text: 'Why?', category: 'conv', rule: 'conv', cluster: 'a', pictures: ['data:x'] },
      ...{ reference: { id: 'r', text: 'REF' }, answer: { id: 'a', text: 'ANS' } },
    };
    const [, user] = judgeMessages(item, OWN_RULES.of('conv'), 'model first');
    expect(user.pictures).toEqual(['data:x']);
    expect(user.content).toMatch(/^\[Question\]\nWhy\?\n\n\[Assistant 1\]\nANS\n\n\[End of Assistant 1\]\n\n\[Assistant 2\]\nREF\n/);
  });

  it('has boxes as Python prints them', () => {
    const line = String.raw`{"captions": ["a \"bbox\": [1]"], "instances": [{"category": "dog", "bbox": [1.0, 0, 0.00005, 0.250]}]}`;
    expect(contextOf(JSON.parse(withBoxTexts(line)))?.text).toBe('a "bbox": [1]\n\ndog: [1.0, 0, 5e-05, 0.25]');
    expect(contextOf({ captions: ['x', 'y'], instances: [{ category: 'dog', bbox: [0, 0.25, 1, 0.5] }] })).toEqual({
      text: 'x\ny\n\ndog: [0.0, 0.25, 1.0, 0.5]',
      form: 'boxes',
    });
    expect(contextOf({ captions: ['x'], instances: [] })).toEqual({ text: 'x', form: 'caption' });
    for (const none of [{ caption: '' }, { captions: [], instances: [] }, {}]) expect(contextOf(none)).toBeUndefined();
  });

  it('needs a rule for each category, in a file of the right form', async () => {
    const rules = await readRules(data('coco', 'rule.json'));
    expect(() => rules.of('poetry')).toThrow(/no rule for the category "poetry", only for conv, detail/);
    const path = join(folder, 'rule.json');
    await writeFile(path, '{"conv": {"prompt": "x"}}');
    await expect(readRules(path)).rejects.toThrow(/rule\.json: the rule "conv\.role" is wrong/);
  });
});

describe('scores', () => {
  const { expected } = JSON.parse(readFileSync(data('expected.json'), 'utf8'));
  const files = sets.flatMap(set => ['a', 'b', 'c', 'failures'].map(name => [set, `review_${name}`] as const));
  /** As the official parser reads, failures left out. */
  const official = (review: Review) => {
    const [reference, model] = officialTuple(review);
    return reference < 0 ? undefined : { reference, model };
  };

  it.each(files)('of %s/%s are the golden ones', async (set, name) => {
    const golden = expected[`${set}/${name}`];
    const reviews = await readReviews(data(set, `${name}.jsonl`));
    expect(officialSummary(reviews.map(review => ({ category: review.category, tuple: officialTuple(review) })))).toEqual(golden.official);
    const clusterOf = await clustersOf(set);
    const readable = questionMarks(reviews, clusterOf, official);
    expect(readable.failures).toBe(golden.failures);
    const score = scoreMarks(readable.marks);
    expect(score.relative).toBeCloseTo(golden.relative_without_failures, 10);
    expect(score.clusteredStandardError).toBeCloseTo(golden.clustered_standard_error, 10);
    expect(score.standardError).toBeCloseTo(golden.standard_error, 10);
    expect(Object.keys(score.byCategory).sort()).toEqual(Object.keys(golden.by_category).sort());
    for (const [category, value] of Object.entries(golden.by_category))
      expect(score.byCategory[category].relative).toBeCloseTo(value as number, 10);
    const ours = questionMarks(reviews, clusterOf);
    expect(ours.failures).toBe(golden.unreadable);
    expect(ours.lost).toHaveLength(golden.unreadable);
    expect(scoreMarks(ours.marks).relative).toBeCloseTo(golden.relative_of_all_readable, 10);
  });

  it.each(sets)('of two models differ as they should: %s', async set => {
    const golden = expected[`${set}/paired_c_minus_a`];
    const clusterOf = await clustersOf(set);
    const [a, c] = await Promise.all(
      ['a', 'c'].map(async name => questionMarks(await readReviews(data(set, `review_${name}.jsonl`)), clusterOf).marks),
    );
    const { difference, clusteredStandardError, clusters, low, high } = compareMarks(c, [...a].reverse());
    expect(difference).toBeCloseTo(golden.difference, 10);
    expect(clusteredStandardError).toBeCloseTo(golden.clustered_standard_error, 10);
    expect(clusters).toBe(golden.clusters);
    // t(0.975) with 11 degrees of freedom.
    expect((high - low) / 2 / clusteredStandardError).toBeCloseTo(2.200985, 5);
    expect(compareMarks(c, a.slice(0, 30)).n).toBe(30);
  });

  it('have no interval for one picture, and no number for nothing', () => {
    const pair = { reference: 8, model: 4, cluster: 'a' };
    expect(relativeScore([pair, pair])).toMatchObject({ relative: 50, clusteredStandardError: Number.NaN, low: Number.NaN });
    expect(relativeScore([]).relative).toBeNaN();
    expect(relativeScore([{ ...pair, reference: 0 }]).relative).toBeNaN();
    expect(() => relativeDifference([pair], [])).toThrow(RangeError);
  });

  it('are rounded as Python rounds', () => {
    const cases: [number, number, number][] = [
      [86.25, 1, 86.2],
      [86.35, 1, 86.3],
      [0.125, 2, 0.12],
      [0.375, 2, 0.38],
      [-86.25, 1, -86.2],
      [2.675, 2, 2.67],
      [8.0005, 3, 8.001],
    ];
    for (const [value, digits, rounded] of cases) expect(pythonRound(value, digits)).toBe(rounded);
    expect(pythonRound(Number.NaN, 1)).toBeNaN();
  });

  it('count several reviews of a question by their mean, in whatever order', () => {
    const of = (order: Order, content: string, repeat = 0): Review => ({
      questionId: 1,
      category: 'llava_bench_conv',
      order,
      repeat,
      content,
    });
    const reviews = [of('reference first', '8 6'), of('model first', '7 9'), of('model first', 'neither'), of('reference first', '', 1)];
    const { marks, failures } = questionMarks([...reviews, { ...reviews[0], failure: 'slow' }], () => 'picture');
    expect(marks).toEqual([{ key: '1', category: 'conv', cluster: 'picture', reviews: 2, reference: 8.5, model: 6.5 }]);
    expect(failures).toBe(3);
    expect(marksOf({ ...reviews[0], content: undefined, tuple: [-1, -1] })).toBeUndefined();
    expect(marksOf({ ...reviews[1], content: undefined, tuple: [7, 9] })).toEqual({ reference: 9, model: 7 });
    expect(plainCategory('llava_bench_wilder')).toBe('llava_bench_wilder');
  });
});

describe('noise of a judge', () => {
  const review = (id: number, order: Order, content: string, repeat = 0): Review => ({
    questionId: id,
    category: 'x',
    order,
    repeat,
    content,
  });

  it('is seen when it is asked again and when answers change places', () => {
    const both = (id: number, behind: string, ahead: string) => [review(id, 'reference first', behind), review(id, 'model first', ahead)];
    // Whoever stands first gains one mark: question 1 flips, 2 does not, 3 is a tie that becomes a win.
    const placed = judgeNoise([...both(1, '8 7.5', '8.5 7'), ...both(2, '9 4', '5 8'), ...both(3, '8 8', '9 7')]);
    expect(placed.orders).toEqual({ questions: 3, flips: 1 / 3, same: 1 / 3, firstGains: 1 });
    expect(placed.repeats).toBeUndefined();
    const again = judgeNoise([1, 2].flatMap(id => [review(id, 'reference first', '8 6'), review(id, 'reference first', '8 4', 1)]));
    expect(again.orders).toBeUndefined();
    expect(again.repeats).toMatchObject({ comparisons: 2, relative: [75, 50] });
    expect(again.repeats?.differenceDeviation).toBeCloseTo(Math.SQRT2, 12);
    expect(again.repeats?.relativeDeviation).toBeCloseTo(25 / Math.SQRT2, 12);
  });

  it('is seen where longer answers get higher marks', () => {
    const marks = [2, 4, 5, 7, 9].map((mark, id) => review(id, 'reference first', `8 ${mark}`));
    expect(judgeNoise(marks, { lengths: key => 10 * Number(key) }).length?.r).toBeGreaterThan(0.98);
    expect(judgeNoise(marks, { lengths: () => undefined }).length).toBeUndefined();
    expect(judgeNoise(marks, { lengths: () => 3 }).length?.r).toBeNaN();
  });
});

describe('files', () => {
  it('of reviews come back as they were written, and LLaVA reads them', async () => {
    const reviews = await readReviews(data('coco', 'review_failures.jsonl'));
    const rows = readFileSync(data('coco', 'review_failures.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(reviewRows(reviews, 'j').map(({ metadata: _, ...row }) => row)).toEqual(rows);
    const swapped: Review[] = [
      {
        questionId: 12345678901234567890n,
        category: 'c',
        order: 'model first',
        repeat: 2,
        content: '7 8',
        referenceId: 'r',
        answerId: 'a',
      },
      { questionId: 'x', category: 'c', order: 'reference first', repeat: 0, content: '', failure: 'refused', referenceId: 1, answerId: 2 },
    ];
    const path = join(folder, 'reviews.jsonl');
    await writeReviews(path, swapped, 'judge-1');
    const text = await readFile(path, 'utf8');
    expect(text).toContain('"question_id":12345678901234567890,"answer1_id":"a","answer2_id":"r"');
    expect((await readReviews(path)).map(({ tuple: _, ...review }) => review)).toEqual(
      swapped.map(review => ({ failure: undefined, ...review })),
    );
  });

  it('say what they lack', async () => {
    const path = (name: string) => join(folder, name);
    const write = (name: string, ...rows: object[]) => writeFile(path(name), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    await write('q', { question_id: 1, text: 'What?' }, { question_id: 2, text: 'Why?' }, { question_id: 3, text: 'Who?' });
    await write(
      'a',
      { question_id: 3, text: 'x' },
      { question_id: 1, text: 'y' },
      { question_id: 1, text: 'z' },
      { question_id: 9, text: 'n' },
    );
    await write('r', { question_id: 1, text: 'r', answer_id: 'ref' }, { question_id: 2, text: 's' });
    const read = (answers: string) => readJudgeItems({ questions: path('q'), answers: path(answers), references: path('r') });
    const { items, warnings } = await read('a');
    expect(items).toEqual([
      {
        id: 1,
        key: '1',
        text: 'What?',
        category: 'all',
        rule: 'all',
        cluster: '1',
        reference: { id: 'ref', text: 'r' },
        answer: { id: 1, text: 'y' },
      },
    ]);
    expect(warnings).toEqual([
      expect.stringMatching(/a has 1 record whose question_id came before/),
      '1 question without an answer left out: 2.',
      '1 question without a reference left out: 3.',
      expect.stringMatching(/^1 answer of .* belong to no question/),
    ]);
    await write('other', { question_id: 1, text: 'y', prompt: 'How many?' });
    await expect(read('other')).rejects.toThrow(/answers "How many\?", but question 1 is "What\?"/);
    await write('none', { question_id: 7, text: 'y' });
    await expect(read('none')).rejects.toThrow(/no question_id in common/);
    await write('bad', { question_id: 1, score: 'high' });
    await expect(readReviews(path('bad'))).rejects.toThrow(/bad, line 1: this is no review, the key "score" is wrong/);
    await write('empty', { question_id: 1 });
    await expect(readReviews(path('empty'))).rejects.toThrow(/neither "content" nor "tuple"/);
  });
});

describe('what a judging comes to', () => {
  /** Question i of `marks` has one review per text; `slow` is one that the endpoint never gave. */
  const results = (marks: readonly (readonly string[])[]) =>
    judgeResults({
      ...{ judge: 'j', model: 'm', rules: 'r', warnings: ['before'], clusterOf: key => key },
      reviews: marks.flatMap((texts, i) =>
        texts.map((text, repeat): Review => {
          const of = { questionId: i + 1, category: 'c', order: 'reference first' as const, repeat };
          return text === 'slow' ? { ...of, failure: 'slow' } : { ...of, content: text };
        }),
      ),
    });

  it('counts reviews that do not count by reason, and names at most five questions that have none', () => {
    const lost = (count: number) => Array.from({ length: count }, () => ['no marks']);
    const some = results([['8 4', 'slow', 'no marks', 'no marks'], ...lost(1)]);
    expect(some).toMatchObject({ questions: 1, lost: ['2'], reviews: 5, failures: { slow: 1, unreadable: 3 } });
    expect(some.score.relative).toBe(50);
    expect(some.warnings).toEqual([
      'before',
      '4 of 5 reviews have no two marks from 0 to 10 and do not count.',
      '1 question has no readable review and does not count: 2.',
    ]);
    expect(results([['8 4', 'slow']]).warnings).toEqual(['before', '1 of 2 reviews has no two marks from 0 to 10 and does not count.']);
    expect(results([['8 4']]).warnings).toEqual(['before']);
    const listOf = (count: number) => results([['8 4'], ...lost(count)]).warnings[2];
    expect(listOf(5)).toBe('5 questions have no readable review and do not count: 2, 3, 4, 5, 6.');
    expect(listOf(6)).toBe('6 questions have no readable review and do not count: 2, 3, 4, 5, 6, ….');
  });

  it('has the official table of first askings with the reference first, the costs and the agreement where they are known', () => {
    const of = (order: Order, content: string, repeat = 0): Review => ({ questionId: 1, category: 'c', order, repeat, content });
    const from = (reviews: readonly Review[], more: Partial<JudgeInput> = {}) =>
      judgeResults({ ...{ judge: 'j', model: 'm', rules: 'r', warnings: [], clusterOf: key => key }, reviews, ...more });
    const asked = [of('reference first', '8 4'), of('model first', '2 9'), of('reference first', '5 5', 1)];
    const first = from(asked);
    expect(first).toMatchObject({ schemaVersion: 1, judge: 'j', model: 'm', rules: 'r' });
    expect(first.official).toEqual(officialSummary([{ category: 'c', tuple: [8, 4] }]));
    expect(from(asked.slice(1))).not.toHaveProperty('official');
    const marks = [1, 2, 3].map((mark, i): Review => ({ ...of('reference first', `8 ${mark}`), questionId: i + 1 }));
    const known = from(marks, {
      byRule: { scorer: 's', marks: new Map([1, 2, 4].map(id => [`${id}`, id])) },
      cost: { requests: 3 } as unknown as EndpointCost,
    });
    expect(known.agreement).toMatchObject({ scorer: 's', answers: 2, pairs: 1, sameOrder: 1 });
    expect(known.cost).toEqual({ requests: 3 });
    expect(first).not.toHaveProperty('cost');
    expect(first).not.toHaveProperty('agreement');
  });
});
