import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lmmsEvalResults, lmmsEvalSample, writeLmmsEval } from './lmms-eval.ts';
import { exampleRun } from './testing/example-run.ts';

const { results, answers } = exampleRun({ questions: 8 });
const date = new Date(Date.UTC(2026, 0, 31, 23, 59, 58));
type Tasks = Record<string, Record<string, unknown>>;
const of = (value: unknown): Tasks => value as Tasks;

describe('the export for readers of lmms-eval', () => {
  const out = lmmsEvalResults(results, { date });

  it('has a task per set and scenario, with lmms-eval’s names where its rule was among the scorers', () => {
    const tasks = of(out.results);
    expect(Object.keys(tasks)).toHaveLength(results.sets.reduce((sum, set) => sum + set.scenarios.length, 0));
    const [clean, , noisy] = results.sets[0].scenarios;
    const official = clean.others['pope@lmms-eval'];
    expect(tasks.pope).toEqual({
      alias: 'pope',
      'pope_accuracy,none': official.metrics.accuracy,
      'pope_accuracy_stderr,none': 'N/A',
    });
    expect(tasks.pope_defocus_blur_4).toMatchObject({
      alias: 'pope (defocus blur, severity 4)',
      'pope_accuracy,none': noisy.others['pope@lmms-eval'].metrics.accuracy,
    });
    expect(tasks.pope_defocus_blur_4_keyboard_3).toBeDefined();
    expect(of(out['n-samples']).pope).toEqual({ original: 9, effective: official.n });
    expect(of(out.higher_is_better).pope).toMatchObject({ pope_accuracy: true, pope_f1_score: true });
    expect(of(out.configs).pope.metadata).toMatchObject({ benchmark: 'pope', scorer: 'pope@lmms-eval', prompt: 'llava@1.5' });
    expect(of(out.narrows).pope_defocus_blur_4).toMatchObject({ againstClean: noisy.againstClean, missing: 1 });
    expect(out).toMatchObject({
      date: '20260131_235958',
      model_name: 'tiny-llava',
      config: { model: 'narrows', model_args: 'pretrained=tiny-llava', random_seed: 0 },
      'n-shot': { pope: 0 },
    });
  });

  it('keeps our names for our rules, and null where a figure is not defined', () => {
    const [set] = results.sets;
    const [clean] = set.scenarios;
    const scenarios = [{ ...clean, others: {}, score: { ...clean.score, metrics: { accuracy: Number.NaN } } }];
    const tasks = of(lmmsEvalResults({ ...results, sets: [{ ...set, scenarios }] }).results);
    expect(tasks.pope).toEqual({ alias: 'pope', 'accuracy,none': null, 'accuracy_stderr,none': 'N/A' });
  });

  it('writes an answer as it was given, what was read of it, and its points', () => {
    const [line] = answers;
    const sample = { key: line.key, text: line.text, right: ['yes', 'yeah'], raw: ' Yes.', value: 'yes', correct: 0.5, category: 'count' };
    expect(lmmsEvalSample({ ...line, ...sample }, 3)).toEqual({
      doc_id: 3,
      doc: { question_id: line.key, question: line.text, category: 'count' },
      target: 'yes | yeah',
      input: line.text,
      resps: [[' Yes.']],
      filtered_resps: [' Yes.'],
      parsed: 'yes',
      score: 0.5,
    });
    expect(lmmsEvalSample({ ...line, correct: Number.NaN }, 0).score).toBeNull();
  });

  it('is written: a samples file per task, questions with the same number in all of them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'narrows-'));
    const files = await writeLmmsEval(directory, results, { answers: answers.slice(1), date });
    expect(files[0]).toBe(join(directory, 'lmms-eval', 'results.json'));
    const read = async (task: string) =>
      (await readFile(join(directory, 'lmms-eval', `samples_${task}.jsonl`), 'utf8'))
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line));
    // The first question has no clean answer here; under the shift it still is another one than the first that was answered.
    const [clean, shifted] = [await read('pope'), await read('pope_defocus_blur_2')];
    expect(clean).toHaveLength(7);
    expect(shifted).toHaveLength(8);
    const numbers = new Map(clean.map(one => [one.doc.question_id, one.doc_id]));
    for (const one of shifted.slice(1)) expect(one.doc_id).toBe(numbers.get(one.doc.question_id));
    expect(new Set(shifted.map(one => one.doc_id)).size).toBe(8);
    expect(JSON.parse(await readFile(files[0], 'utf8'))).toEqual(JSON.parse(JSON.stringify(lmmsEvalResults(results, { date }))));
    await rm(directory, { recursive: true });
  });
});
