/** `narrows evaluate --report-only` on a folder that holds answers: page, tables, pictures, export. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { findBenchmark } from '../../evaluation/benchmarks/registry.ts';
import { answersPath, hashOf, writeQuestions, writeRun } from '../../evaluation/run/folder.ts';
import type { EvaluationResults } from '../../evaluation/run/results.ts';
import type { Scenario } from '../../evaluation/run/scenario.ts';
import { runProgram } from '../program.ts';

const scenarios: Scenario[] = [{ name: 'clean' }, { name: 'keyboard:4', text: { shift: 'keyboard', severity: 4 } }];
let output: string;
beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'narrows-report-'));
  const { questions } = await findBenchmark('scenes-pope').load({ limit: 12, seed: 0 });
  const set = {
    ...{ benchmark: 'scenes-pope', load: { limit: 12, seed: 0 }, prompt: 'plain', maxNewTokens: 8, questions: questions.length },
    ...{ hash: hashOf(questions), scenarios, warnings: [] },
  };
  await writeRun(output, { model: 'made', settings: {}, seed: 0, sets: [set], warnings: ['A warning of the run.'] });
  await writeQuestions(output, 'scenes-pope', questions);
  for (const [s, { name }] of scenarios.entries()) {
    const path = answersPath(output, 'scenes-pope', name);
    await mkdir(dirname(path), { recursive: true });
    // All right clean; under the shift the first three are wrong.
    const rows = questions.map(({ key, id, answers: [right] }, i) => {
      const text = s === 1 && i < 3 ? (right === 'yes' ? 'no' : 'yes') : right;
      return JSON.stringify({ question_id: id, prompt: '', text, answer_id: key, model_id: 'made', metadata: { key } });
    });
    await writeFile(path, `${rows.join('\n')}\n`);
  }
});
afterAll(() => rm(output, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

it('writes the report with pictures and the words that were asked, and lmms-eval’s form where it is asked for', async () => {
  let printed = '';
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    printed += String(chunk);
    return true;
  });
  const emi = join(output, 'emi.json');
  const divergences = { visual: 0.1, text: 0.2, sourceOutput: 0.3, targetOutput: 0.4 };
  await writeFile(
    emi,
    JSON.stringify({ schemaVersion: 1, targets: [{ name: 'keyboard:4', emid: { value: 0.125 }, bound: 1, divergences }] }),
  );
  const args = ['evaluate', '--emi', emi, '--report-only', '--output', output, '--scorer', 'all', '--lmms-eval', '--json'];
  await runProgram(args, new AbortController().signal);
  const results: EvaluationResults = JSON.parse(printed);
  expect(results.sets[0].scenarios[1].againstClean).toMatchObject({ a: 1, b: 0.75, rightToWrong: 3, wrongToRight: 0 });
  expect(results.sets[0].scenarios[1].distances).toMatchObject({ emid: 0.125, rjsd_text: 0.2 });
  expect(results.worst).toHaveLength(3);
  const page = await readFile(join(output, 'report.html'), 'utf8');
  expect(page.match(/src="data:image/g)).toHaveLength(6);
  expect(page).toContain('A warning of the run.');
  const asked = page.match(/class="small asked">“(.*?)”/g)!;
  expect(asked).toHaveLength(3);
  for (const { text } of results.worst) expect(asked.join()).not.toContain(`“${text}”`);
  expect(page).toContain('All 24 answers.');
  const lmms = JSON.parse(await readFile(join(output, 'lmms-eval', 'results.json'), 'utf8'));
  expect(lmms.results.scenes_pope_keyboard_4['pope_accuracy,none']).toBe(0.75);
  const samples = await readFile(join(output, 'lmms-eval', 'samples_scenes_pope_keyboard_4.jsonl'), 'utf8');
  expect(samples.trimEnd().split('\n')).toHaveLength(12);
});
