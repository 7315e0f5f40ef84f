import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Question } from '../benchmarks/question.ts';
import { answersPath, hashOf, type RunFacts, writeQuestions, writeRun } from '../run/folder.ts';
import { agreementOf } from './agreement.ts';
import { itemsOfRun } from './from-run.ts';

let folder = '';
const question = (n: number, more: Partial<Question> = {}): Question => ({
  ...{
    id: n,
    key: `k${n}`,
    kind: 'open',
    text: `What is ${n}?`,
    pictures: [],
    answers: [],
    category: 'conv',
    cluster: `p${n % 2}`,
    where: 'x',
  },
  facts: { captions: [`scene ${n}`], instances: [], reference: `It is ${n}.` },
  ...more,
});
const boxes = { captions: ['a', 'b'], instances: [{ category: 'cup', bbox: [0, 0.5, 1, 1] }], reference: 'cup' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-judge-run-'));
  const open = [
    question(0),
    question(1, { facts: boxes }),
    question(2),
    question(3, { facts: {} }),
    question(4, { facts: { reference: 'x' } }),
  ];
  const closed = [question(7, { kind: 'yes-no', answers: ['yes'] })];
  const set = (benchmark: string, questions: readonly Question[]) => ({
    ...{ benchmark, load: {}, prompt: 'p', maxNewTokens: 8, questions: questions.length, hash: hashOf(questions), warnings: [] },
    scenarios: [{ name: 'clean' }, { name: 'fog 3', image: { shift: 'fog', severity: 3 } }],
  });
  const run: RunFacts = { model: 'my-llava', settings: {}, seed: 0, sets: [set('pictures', open), set('pope', closed)], warnings: [] };
  await writeRun(folder, run);
  await writeQuestions(folder, 'pictures', open);
  await writeQuestions(folder, 'pope', closed);
  for (const [scenario, words] of [
    ['clean', 'clear'],
    ['fog 3', 'foggy'],
  ]) {
    const rows = [4, 3, 1, 0].map(n => ({ question_id: n, text: `${words} ${n}`, answer_id: `a${n}`, metadata: { key: `k${n}` } }));
    const path = answersPath(folder, 'pictures', scenario);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  }
});
afterAll(() => rm(folder, { recursive: true }));

describe('itemsOfRun', () => {
  it('takes the one open set, joins answers by key, and says what is left out', async () => {
    const { items, model, benchmark, warnings, byRule } = await itemsOfRun({ output: folder });
    expect([model, benchmark, byRule]).toEqual(['my-llava', 'pictures', undefined]);
    expect(items.map(({ id, answer, rule, context, cluster }) => [id, answer.text, rule, context, cluster])).toEqual([
      [0, 'clear 0', 'llava_bench_conv', 'scene 0', 'p0'],
      [1, 'clear 1', 'conv', 'a\nb\n\ncup: [0.0, 0.5, 1.0, 1.0]', 'p1'],
      [4, 'clear 4', 'conv', undefined, 'p0'],
    ]);
    expect(items[0].reference.text).toBe('It is 0.');
    expect(warnings).toEqual([
      '1 questions of pictures have no answer under clean and are left out.',
      '1 questions of pictures have no reference answer and are left out.',
      expect.stringContaining('For 1 question the judge gets no description of the picture'),
    ]);
    expect((await itemsOfRun({ output: folder, scenario: 'fog 3' })).items[1].answer).toEqual({ id: 'a1', text: 'foggy 1' });
  });

  it('refuses what is not there', async () => {
    await expect(itemsOfRun({ output: join(folder, 'none') })).rejects.toThrow(/holds no run/);
    await expect(itemsOfRun({ output: folder, benchmark: 'mme' })).rejects.toThrow(/has no set mme, only pictures, pope/);
    await expect(itemsOfRun({ output: folder, scenario: 'rain' })).rejects.toThrow(/not asked under rain in .*, only under clean, fog 3/);
  });
});

describe('agreementOf', () => {
  const marks = (...values: readonly (readonly [number, number])[]) => values.map(([a, b], i) => ({ a, b, cluster: `${i % 3}` }));

  it('counts pairs that neither judge ties', () => {
    // 1-2 and 1-3 the same, 2-3, 2-4 and 3-4 opposite, 1-4 a tie for b.
    const agreement = agreementOf(marks([1, 1], [2, 3], [3, 2], [4, 1]));
    expect(agreement).toMatchObject({ ranked: 5, pairs: 6, answers: 4, sameOrder: 2 / 5 });
    expect(agreement.kendall).toBeCloseTo(-1 / Math.sqrt(6 * 5), 12);
    const many = agreementOf(marks(...Array.from({ length: 30 }, (_, i) => [i, (7 * i) % 11] as const)), 1);
    expect(many.low).toBeLessThan(many.kendall);
    expect(many.high).toBeGreaterThan(many.kendall);
    expect(agreementOf(marks([1, 5], [2, 6], [3, 7]))).toMatchObject({ kendall: 1, sameOrder: 1 });
    expect(agreementOf(marks([1, 5], [1, 6])).kendall).toBeNaN();
  });
});
