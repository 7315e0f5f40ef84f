import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packOutcome, roundConfidence, unpackOutcome } from './compact.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { OutcomeStore } from './outcomes.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-outcomes-'));
});
afterAll(() => rm(root, { recursive: true }));

const item = { scene: 0, task: 'count', question: 'q', answer: 'a' } as const;
const exams: ExamFacts[] = [{ id: 'clean', group: 'clean', items: [item, item, item] }];
const distance = { rjsd_visual: 0.25, rjsd_text: 0, cosine_visual: 0.125 };
const outcome: RunOutcome = {
  condition: 'plain',
  seed: 3,
  outcomes: {
    clean: {
      ...{ correct: '101', tokens: [1000, 500, 1000], log_likelihood: -0.5, distance, wrong: { 1: 'two' } },
      said: [-0.001, -0.7, -3].map(roundConfidence),
    },
  },
};

it('believes an outcome that is whole, of the run and of the exams, and says why it does not believe another', async () => {
  const file = join(root, 'results/plain-3.json.gz');
  const looked = async (condition = 'plain', seed = 3, sat: readonly ExamFacts[] = exams) => {
    const warnings: string[] = [];
    const store = new OutcomeStore(root, sat, m => warnings.push(m));
    await store.look('runs/plain-3', condition, seed);
    return { result: store.result('runs/plain-3'), warnings };
  };
  expect(await looked()).toEqual({ result: undefined, warnings: [] });
  await new OutcomeStore(root, exams).put('runs/plain-3', { result: outcome });
  const bytes = await readFile(file);
  // Nothing is lost on the way.
  expect(await looked()).toEqual({ result: expect.objectContaining(outcome), warnings: [] });
  expect((await looked('lora')).warnings).toEqual([expect.stringMatching(/is damaged or of another run/)]);
  expect((await looked('plain', 4)).result).toBeUndefined();
  const other = [{ ...exams[0], items: [item, item, { ...item, answer: 'b' }] }];
  expect(await looked('plain', 3, other)).toEqual({ result: undefined, warnings: [expect.stringMatching(/of other exams than these/)] });
  const text = gunzipSync(bytes).toString();
  for (const broken of [gzipSync(text.replace('"101"', '"111"')), bytes.subarray(0, -20), gzipSync('{}'), Buffer.from('')]) {
    await writeFile(file, broken);
    expect(await looked()).toEqual({ result: undefined, warnings: [expect.stringMatching(/measured again/)] });
  }
  await rm(file);
  // As it was written before: in the run's folder, without a checksum.
  await mkdir(join(root, 'runs/plain-3'), { recursive: true });
  await writeFile(join(root, 'runs/plain-3/outcome.json'), JSON.stringify(outcome));
  expect(await looked()).toEqual({ result: outcome, warnings: [expect.stringMatching(/older version and has no checksum/)] });
  const longer = [{ ...exams[0], items: [item] }];
  expect((await looked('plain', 3, longer)).warnings).toEqual([expect.stringMatching(/of other exams than these/)]);
});

it('packs into what comes back equal, and keeps probabilities to a fiftieth and in their order', () => {
  expect(unpackOutcome(JSON.parse(JSON.stringify(packOutcome(outcome))))).toEqual(outcome);
  let before = Number.NEGATIVE_INFINITY;
  for (let p = 0.005; p < 0.9999; p += 0.001) {
    const kept = roundConfidence(Math.log(p));
    expect(Math.abs(Math.exp(kept) - p)).toBeLessThan(0.026);
    expect(kept).toBeGreaterThanOrEqual(before);
    expect(roundConfidence(kept)).toBe(kept);
    before = kept;
  }
  expect(Math.exp(roundConfidence(Math.log1p(-1e-5)))).toBeGreaterThan(Math.exp(roundConfidence(Math.log1p(-1e-4))));
  expect(Math.exp(roundConfidence(0))).toBeCloseTo(1, 4);
  expect(roundConfidence(Number.NaN)).toBeNaN();
});
