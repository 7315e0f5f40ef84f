import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerRow } from '../../generation/answers-file.ts';
import { generate } from '../../generation/generate.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { QuestionSet } from '../benchmarks/question.ts';
import { answerSets } from './answer-sets.ts';
import type { Answerer } from './answerer.ts';
import type { AskedOf } from './asking.ts';
import { answersPath } from './folder.ts';
import { LocalAnswerer } from './local-answerer.ts';
import type { Scenario } from './scenario.ts';
import { drawnBenchmark, drawnSet } from './testing/drawn-set.ts';

const noise: Scenario = { name: 'noise', image: { shift: 'gaussian_noise', severity: 4 } };
const typos: Scenario = { name: 'typos', text: { shift: 'keyboard', severity: 6 } };
const both: Scenario = { name: 'both', image: noise.image, text: typos.text };
const SCENARIOS = [{ name: 'clean' }, noise, typos, both];

let chat: ChatModel;
let folder: string;
beforeAll(async () => {
  chat = await ChatModel.open('scene-llava');
  folder = await mkdtemp(join(tmpdir(), 'narrows-answer-sets-'));
});
afterAll(async () => {
  await chat.release();
  await rm(folder, { recursive: true });
});

const answerer = (batchSize = 4) => new LocalAnswerer(chat, { generation: { maxNewTokens: 8, temperature: 0 }, batchSize });
const sets = (set: QuestionSet, by: LocalAnswerer, scenarios = SCENARIOS): AskedOf[] => [
  { benchmark: drawnBenchmark, set, prompt: 'plain', scenarios, answerer: by },
];
const read = (output: string, scenario: string): Promise<string> => readFile(answersPath(output, 'drawn', scenario), 'utf8');
const rows = async (output: string, scenario: string): Promise<AnswerRow[]> =>
  (await read(output, scenario))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as AnswerRow);

describe('answerSets', () => {
  let whole: string;
  const reads: string[] = [];
  beforeAll(async () => {
    whole = join(folder, 'whole');
    const set = await drawnSet(12, id => reads.push(id));
    const result = await answerSets(sets(set, answerer()), whole, { seed: 3 });
    expect(result).toEqual({ answered: 48, before: 0, unanswered: [] });
  });

  it('asks every question under every scenario, in the order of the set, and names the question in each row', async () => {
    const { questions } = await drawnSet(12);
    for (const { name } of SCENARIOS) {
      const found = await rows(whole, name);
      expect(found.map(row => row.metadata.key)).toEqual(questions.map(q => q.key));
      expect(found.map(row => row.question_id)).toEqual(questions.map(q => q.id));
    }
    expect((await rows(whole, 'clean')).map(row => row.prompt)).toEqual(questions.map(q => q.text));
  });

  it('gives the answers that the model gives when it is asked directly', async () => {
    const { questions } = await drawnSet(12);
    const clean = await rows(whole, 'clean');
    for (const i of [0, 5, 11]) {
      const image = await questions[i].pictures[0].read();
      const prompt = chat.prompt([{ role: 'user', content: `<image>\n${questions[i].text}` }], chat.pixels([image]));
      const [direct] = await generate(chat.model, [prompt], chat.options({ maxNewTokens: 8, temperature: 0 }));
      expect(clean[i].text).toBe(direct.text.trim());
    }
    // The model knows the world a little: the answers fit the pictures more often than a guess (about 4 of 12).
    expect(clean.filter((row, i) => row.text === questions[i].answers[0]).length).toBeGreaterThanOrEqual(7);
  });

  it('reads and encodes a picture once per kind of picture, however many questions and texts', () => {
    const ids = new Set(reads);
    for (const id of ids) expect(reads.filter(one => one === id)).toHaveLength(2);
  });

  it('changes the words of the textual and the joint scenario alike, and no picture of the textual one', async () => {
    const [clean, textual, joint, visual] = await Promise.all(['clean', 'typos', 'both', 'noise'].map(name => rows(whole, name)));
    expect(textual.map(row => row.prompt)).toEqual(joint.map(row => row.prompt));
    expect(textual.map(row => row.prompt)).not.toEqual(clean.map(row => row.prompt));
    expect(visual.map(row => row.prompt)).toEqual(clean.map(row => row.prompt));
    expect(visual.map(row => row.text)).not.toEqual(clean.map(row => row.text));
  });

  it('goes on after a stop, and after a row that was cut short, to the same bytes', async () => {
    const output = join(folder, 'stopped');
    const set = await drawnSet(12);
    const controller = new AbortController();
    let asked = 0;
    const inner = answerer();
    const stopping = Object.assign(Object.create(inner) as LocalAnswerer, {
      answer: (...args: Parameters<LocalAnswerer['answer']>) => {
        if (++asked === 6) controller.abort(new Error('stopped'));
        return inner.answer(...args);
      },
    });
    await expect(answerSets(sets(set, stopping), output, { seed: 3, signal: controller.signal })).rejects.toThrow('stopped');
    const path = answersPath(output, 'drawn', 'clean');
    await truncate(path, (await readFile(path)).length - 7);
    const warnings: string[] = [];
    const result = await answerSets(sets(set, answerer()), output, { seed: 3, onWarning: message => warnings.push(message) });
    expect(result.before).toBeGreaterThan(0);
    expect(result.answered).toBe(48 - result.before);
    expect(warnings.join()).toContain('cut short');
    for (const { name } of SCENARIOS) expect(await read(output, name)).toBe(await read(whole, name));
    expect((await answerSets(sets(set, answerer()), output, { seed: 3 })).answered).toBe(0);
  });

  it('keeps what it has where a picture is missing, says which, and tries again in the next run', async () => {
    const output = join(folder, 'missing');
    const set = await drawnSet(6);
    const broken = {
      ...set.questions[1].pictures[0],
      id: 'gone',
      read: () => Promise.reject(new NarrowsError('set.parquet, row 2 has no picture.')),
    };
    const questions = set.questions.map((q, i) => (i === 1 ? { ...q, pictures: [broken] } : q));
    const result = await answerSets(sets({ questions, warnings: [] }, answerer(), [{ name: 'clean' }]), output, { seed: 3 });
    expect(result.answered).toBe(5);
    expect(result.unanswered).toEqual([
      {
        benchmark: 'drawn',
        scenario: 'clean',
        key: questions[1].key,
        where: questions[1].where,
        reason: 'set.parquet, row 2 has no picture.',
      },
    ]);
    expect((await answerSets(sets(set, answerer(), [{ name: 'clean' }]), output, { seed: 3 })).answered).toBe(1);
    expect(await read(output, 'clean')).toBe((await read(whole, 'clean')).split('\n').slice(0, 6).join('\n').concat('\n'));
  });

  it('keeps questions of the same id and words apart, and knows both again', async () => {
    const output = join(folder, 'repeated');
    const [question] = (await drawnSet(1)).questions;
    const set = { questions: ['a', 'b', 'c'].map(key => ({ ...question, key, pictures: [] })), warnings: [] };
    const asked: number[] = [];
    const counting: Answerer = {
      ...{ modelId: 'm', settings: {}, warnings: [], batchSize: 8, length: () => 1 },
      async answer(turns, onAnswer) {
        for (const [i, { number }] of turns.entries()) {
          asked.push(number);
          onAnswer(i, { text: `answer ${number}`, finish: 'eos' });
        }
      },
    };
    const run = () =>
      answerSets([{ benchmark: drawnBenchmark, set, prompt: 'plain', scenarios: [{ name: 'clean' }], answerer: counting }], output, {
        seed: 3,
      });
    expect(await run()).toMatchObject({ answered: 3, before: 0 });
    expect((await rows(output, 'clean')).map(({ text, metadata }) => [text, metadata.key])).toEqual([
      ['answer 0', 'a'],
      ['answer 1', 'b'],
      ['answer 2', 'c'],
    ]);
    expect(await run()).toMatchObject({ answered: 0, before: 3 });
    expect(asked).toHaveLength(3);
  });

  it('refuses rows of other settings and of another seed', async () => {
    const output = join(folder, 'other');
    const set = await drawnSet(3);
    await answerSets(sets(set, answerer(), [{ name: 'clean' }]), output, { seed: 3 });
    const longer = new LocalAnswerer(chat, { generation: { maxNewTokens: 9, temperature: 0 } });
    await expect(answerSets(sets(set, longer, [{ name: 'clean' }]), output, { seed: 3 })).rejects.toThrow(
      'line 1 is an answer of other settings',
    );
    await expect(answerSets(sets(set, answerer(), [{ name: 'clean' }]), output, { seed: 4 })).rejects.toThrow('other settings');
    const alike = [
      { name: 'fog 3', image: { shift: 'fog', severity: 3 } },
      { name: 'fog:3', image: { shift: 'fog', severity: 5 } },
    ];
    await expect(answerSets(sets(set, answerer(), alike), output, { seed: 3 })).rejects.toThrow('called alike as files (fog:3)');
    await writeFile(answersPath(output, 'drawn', 'clean'), 'no answers\n');
    await expect(answerSets(sets(set, answerer(), [{ name: 'clean' }]), output, { seed: 3 })).rejects.toThrow(/clean\.jsonl, line 1/);
  });
});
