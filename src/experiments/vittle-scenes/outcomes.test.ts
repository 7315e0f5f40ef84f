import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunOutcome } from './analyse.ts';
import { OutcomeStore } from './outcomes.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-outcomes-'));
});
afterAll(() => rm(root, { recursive: true }));

const outcome: RunOutcome = {
  condition: 'plain',
  seed: 3,
  outcomes: { clean: { correct: '101', tokens: [1000, 500, 1000], log_likelihood: -0.5, distance: { rjsd_visual: 0, rjsd_text: 0 } } },
};

it('believes an outcome that is whole and of the run, and says why it does not believe another', async () => {
  const file = join(root, 'runs/plain-3/outcome.json');
  const looked = async (condition = 'plain', seed = 3) => {
    const warnings: string[] = [];
    const store = new OutcomeStore(root, m => warnings.push(m));
    await store.look('runs/plain-3', condition, seed);
    return { result: store.result('runs/plain-3'), warnings };
  };
  expect(await looked()).toEqual({ result: undefined, warnings: [] });
  await new OutcomeStore(root).put('runs/plain-3', { result: outcome });
  const text = await readFile(file, 'utf8');
  expect((await looked()).warnings).toEqual([]);
  expect((await looked()).result).toMatchObject(outcome);
  expect((await looked('lora')).warnings).toEqual([expect.stringMatching(/outcome.json is damaged or of another run/)]);
  expect((await looked('plain', 4)).result).toBeUndefined();
  for (const broken of [text.replace('"101"', '"111"'), text.slice(0, -20), '{}', '']) {
    await writeFile(file, broken);
    expect(await looked(), broken).toEqual({ result: undefined, warnings: [expect.stringMatching(/measured again/)] });
  }
  // As it was written before there were checksums.
  await writeFile(file, JSON.stringify(outcome));
  expect(await looked()).toEqual({ result: outcome, warnings: [expect.stringMatching(/older version and has no checksum/)] });
});
