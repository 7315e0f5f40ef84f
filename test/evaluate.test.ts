import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../src/cli/serve/server.ts';
import type { EvaluationResults } from '../src/evaluation/run/results.ts';
import { ChatModel } from '../src/generation/pretrained.ts';
import { workerRuntime } from '../src/runtime/worker.ts';
import { silent } from '../src/system/log.ts';
import { narrows as call } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'narrows-evaluate-'));
const narrows = (words: readonly string[]) => call(words, { cwd: folder });
const at = (name: string): string => join(folder, name);
const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const rows = (output: string, scenario: string) =>
  readFileSync(join(output, 'answers', 'scenes-choice', `${scenario}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { prompt: string; text: string; metadata: { key: string } });
afterAll(() => rmSync(folder, { recursive: true }));

const ASK = ['evaluate', '--benchmark', 'scenes-choice', '--limit', '16', '--shifts', 'gaussian_noise:5,keyboard:7'];

describe('narrows evaluate', () => {
  const direct = at('direct');
  beforeAll(async () => {
    expect((await narrows([...ASK, '--output', direct])).code).toBe(0);
  });

  it('asks, scores and reports; report and table say the same', async () => {
    const { sets, model } = json<EvaluationResults>(join(direct, 'results.json'));
    expect(model).toBe('scene-llava');
    expect(sets[0].scenarios.map(one => [one.scenario.name, one.kind, one.score.n])).toEqual([
      ['clean', 'clean', 16],
      ['gaussian_noise:5', 'visual', 16],
      ['keyboard:7', 'textual', 16],
    ]);
    const again = await narrows(['evaluate', '--output', direct, '--report-only']);
    expect(again.code).toBe(0);
    for (const { scenario, score } of sets[0].scenarios) {
      const line = again.stdout.split('\n').find(one => one.startsWith('scenes-choice') && one.includes(scenario.name));
      expect(line).toContain((100 * score.metrics[sets[0].primary]).toFixed(1));
    }
    expect(json<EvaluationResults>(join(direct, 'results.json')).sets).toEqual(sets);
    // The right answers of the questions, joined by hand to the answers, give the score.
    const questions = new Map(
      readFileSync(join(direct, 'questions', 'scenes-choice.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as { key: string; options: string[]; answers: string[] })
        .map(q => [q.key, q.options[q.answers[0].charCodeAt(0) - 65]]),
    );
    const right = rows(direct, 'clean').filter(row => row.text === questions.get(row.metadata.key)).length;
    expect(sets[0].scenarios[0].score.metrics[sets[0].primary]).toBeCloseTo(right / 16, 12);
    const page = readFileSync(join(direct, 'report.html'), 'utf8');
    expect(page).toContain('scenes-choice');
    expect(page).not.toMatch(/(?:src|href)="https?:/);
  });

  it('gives the same scores through an OpenAI-compatible server over the same model', async () => {
    const runtime = workerRuntime({ threads: 1 });
    const chat = await ChatModel.open('scene-llava', { runtime });
    const stop = new AbortController();
    const options = {
      chat,
      defaults: {},
      pictures: {},
      host: '127.0.0.1',
      port: 0,
      maxBody: 2 ** 20,
      maxQueue: 64,
      signal: stop.signal,
      log: silent,
    };
    try {
      await using server = await startServer(options);
      const output = at('endpoint');
      const words = [...ASK, '--output', output, '--endpoint', server.url, '--model-name', 'scene-llava'];
      const asked = await narrows(words);
      expect(asked.code, asked.stderr).toBe(0);
      for (const name of ['clean', 'gaussian_noise_5', 'keyboard_7'])
        expect(rows(output, name).map(row => [row.metadata.key, row.prompt, row.text])).toEqual(
          rows(direct, name).map(row => [row.metadata.key, row.prompt, row.text]),
        );
      const scores = (where: string) => json<EvaluationResults>(join(where, 'results.json')).sets[0].scenarios.map(one => one.score);
      expect(scores(output)).toEqual(scores(direct));
      // Neither the address nor the name of the host stands in what was written.
      for (const file of ['run.json', 'results.json', 'report.html', 'replies.jsonl'])
        expect(readFileSync(join(output, file), 'utf8')).not.toContain('127.0.0.1');
      // Everything is kept: the same command asks nothing, and so it works when the server is gone.
      await server[Symbol.asyncDispose]();
      expect((await narrows(words)).code).toBe(0);
      const budget = await narrows([
        ...ASK,
        '--output',
        at('budget'),
        '--endpoint',
        server.url,
        '--model-name',
        'scene-llava',
        '--max-requests',
        '1',
      ]);
      expect(budget.code).not.toBe(0);
      expect(budget.stderr).not.toContain('    at ');
    } finally {
      await chat.release();
      await runtime.release?.();
    }
  });

  it('compares runs: a model with itself differs nowhere, with a worse one where it is worse', async () => {
    const other = at('other');
    expect((await narrows([...ASK, '--output', other, '--alpha', '1', '--model', 'scene-llava-vittle'])).code).toBe(0);
    const same = await narrows(['evaluate', 'compare', direct, at('endpoint'), '--json']);
    expect(
      JSON.parse(same.stdout).rows.map((row: { changes: { difference: number; n: number } }) => [row.changes.difference, row.changes.n]),
    ).toEqual([
      [0, 16],
      [0, 16],
      [0, 16],
    ]);
    const compared = await narrows(['evaluate', 'compare', direct, other, '--output', at('compared'), '--json']);
    const { rows: lines } = JSON.parse(compared.stdout) as {
      rows: { scenario: string; reference: number; value: number; changes: { difference: number } }[];
    };
    const accuracy = (where: string) =>
      Object.fromEntries(
        json<EvaluationResults>(join(where, 'results.json')).sets[0].scenarios.map(one => [one.scenario.name, one.score.metrics.accuracy]),
      );
    for (const line of lines) {
      expect(line.reference).toBe(accuracy(direct)[line.scenario]);
      expect(line.value).toBe(accuracy(other)[line.scenario]);
      expect(line.changes.difference).toBeCloseTo(line.value - line.reference, 12);
    }
    expect(readFileSync(join(at('compared'), 'comparison.html'), 'utf8')).toContain('other');
  });

  it('says in one sentence what cannot be done, and loses nothing', async () => {
    const refused = async (words: readonly string[], sentence: RegExp): Promise<void> => {
      const { code, stderr } = await narrows(words);
      expect(code, words.join(' ')).not.toBe(0);
      expect(stderr).toMatch(sentence);
      expect(stderr).not.toMatch(/\n {4}at /);
    };
    const out = ['--output', at('refused')];
    await refused(['evaluate', '--benchmark', 'pop', ...out], /no benchmark "pop".*pope/);
    await refused(['evaluate', '--benchmark', 'pope', ...out], /--data/);
    await refused(['evaluate', '--suite', 'vitle-45', ...out], /no suite.*vittle-45/);
    await refused(['evaluate', '--shifts', 'fog:9', ...out], /from 1 to 5/);
    await refused(['evaluate', '--prompt', 'nonsense', '--limit', '2', ...out], /no prompt/);
    await refused(['evaluate', '--endpoint', 'http://127.0.0.1:9/v1', ...out], /--model-name/);
    await refused(
      ['evaluate', '--endpoint', 'http://127.0.0.1:9/v1', '--model-name', 'm', '--model', 'scene-llava', ...out],
      /--model belongs to/,
    );
    await refused(['evaluate', '--limit', '2'], /--output/);
    await refused(['evaluate', '--report-only', '--output', at('nothing')], /holds no run/);
    await refused(['evaluate', 'compare', direct], /two folders/);
    await refused(['evaluate', 'compare', direct, at('nothing')], /holds no run/);
    await refused([...ASK, '--output', direct, '--model', 'scene-llava-vittle'], /holds a run of the model "scene-llava"/);
    await refused([...ASK, '--output', direct, '--max-new-tokens', '3'], /tokens for an answer/);
    await refused([...ASK, '--output', direct, '--seed', '7'], /seed 0, not 7/);
    writeFileSync(at('suite.json'), '{"name": "mine", "description": "x", "scenarios": [{"image": {"shift": "fogg", "severity": 1}}]}');
    await refused(['evaluate', '--shifts', at('suite.json'), ...out], /scenario 1.*fogg/);
    expect(rows(direct, 'clean')).toHaveLength(16);
  });
});
