/** @file Sets of EMI from a folder of `narrows evaluate`: what is joined, shifted again, scored, and refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDirectory } from '../../node/files.ts';
import type { QuestionSet } from '../benchmarks/question.ts';
import { findBenchmark } from '../benchmarks/registry.ts';
import { answersPath, hashOf, type RunFacts, writeRun } from '../run/folder.ts';
import { readEmiRun } from './read-run.ts';

const folder = await mkdtemp(join(tmpdir(), 'emi-run-'));
afterAll(() => rm(folder, { recursive: true }));
const scenarios = [
  { name: 'clean' },
  { name: 'both:5', image: { shift: 'contrast', severity: 5 }, text: { shift: 'word_delete', severity: 5 } },
];
let set: QuestionSet;

async function makeRun(name: string, change: Partial<RunFacts['sets'][number]> = {}): Promise<string> {
  const output = join(folder, name);
  await makeDirectory(output);
  const asked = {
    benchmark: 'scenes-pope',
    load: { limit: 6 },
    prompt: Object.keys(findBenchmark('scenes-pope').prompts)[0],
    questions: 6,
    maxNewTokens: 8,
    hash: hashOf(set.questions),
    scenarios,
    warnings: [],
    ...change,
  };
  await writeRun(output, { model: 'm', settings: {}, seed: 0, sets: [asked], warnings: [] });
  for (const { name: scenario } of scenarios) {
    const path = answersPath(output, 'scenes-pope', scenario);
    await makeDirectory(dirname(path));
    const rows = set.questions
      .slice(scenario === 'clean' ? 0 : 1)
      .map(({ key, id }, i) => ({ question_id: id, text: i < 2 ? '<think>well</think> no' : 'yes', metadata: { key } }));
    await writeFile(path, rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  }
  return output;
}

beforeAll(async () => {
  set = await findBenchmark('scenes-pope').load({ limit: 6, seed: 0 });
});

describe('a run', () => {
  it('is read with its answers, scored, and with the pictures and words of each scenario', async () => {
    const output = await makeRun('whole');
    const [clean] = await readEmiRun(output, { scenarios: 'clean' });
    expect(clean.name).toBe('clean');
    expect(clean.items.map(i => [i.key, i.question, i.reference])).toEqual(set.questions.map(q => [q.key, q.text, q.answers[0]]));
    expect(clean.items.map(i => i.answer)).toEqual(['no', 'no', 'yes', 'yes', 'yes', 'yes']);
    expect(clean.items.map(i => i.score)).toEqual(set.questions.map((q, i) => Number(q.answers[0] === (i < 2 ? 'no' : 'yes'))));
    const [shifted, ...more] = await readEmiRun(output, { scenarios: 'shifted' });
    expect(more).toEqual([]);
    expect(shifted.items.map(i => i.key)).toEqual(clean.items.slice(1).map(i => i.key));
    expect(shifted.warnings).toEqual(['1 of 6 questions of both:5 have no answer and are left out.']);
    expect(shifted.items[0].question.length).toBeLessThan(clean.items[1].question.length);
    const spread = (data: ArrayLike<number>): number => Math.max(...Array.from(data)) - Math.min(...Array.from(data));
    expect(shifted.items[0].pictures[0].id).toBe(clean.items[1].pictures[0].id);
    const [a, b] = [await clean.items[1].pictures[0].read(), await shifted.items[0].pictures[0].read()];
    expect(spread(b.data)).toBeLessThan(spread(a.data) / 2);
  });

  it('is refused in a sentence where it is none, has changed, or lacks what is asked for', async () => {
    await expect(readEmiRun(folder, { scenarios: 'clean' })).rejects.toThrow(/holds no run of narrows evaluate/);
    const other = await makeRun('other', { hash: 'x' });
    await expect(readEmiRun(other, { scenarios: 'clean' })).rejects.toThrow(
      /scenes-pope has other questions now than when it was asked \(6 now, 6 then\)/,
    );
    const bare = await makeRun('bare', { scenarios: [{ name: 'clean' }] });
    await expect(readEmiRun(bare, { scenarios: 'shifted' })).rejects.toThrow(/under a shift; run narrows evaluate with --shifts/);
    await expect(readEmiRun(bare, { scenarios: 'clean', benchmark: 'scenes-pop' })).rejects.toThrow(/has no set "scenes-pop".*scenes-pope/);
    await writeFile(answersPath(bare, 'scenes-pope', 'clean'), '{"question_id": 1, "text": "yes"}\n');
    await expect(readEmiRun(bare, { scenarios: 'clean' })).rejects.toThrow(/line 1 is no answer of narrows evaluate/);
  });
});
