import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, narrows, repository } from '../../../test/support.ts';
import type { JudgeResults } from '../../evaluation/judge/results.ts';
import { completion, type EndpointServer, endpointServer, json, type Received } from '../../generation/endpoint/testing/endpoint-server.ts';
import { checkWays } from './flags.ts';

const KEY = 'sk-judge-secret-42424242';
const data = (name: string): string => join(repository, 'src/evaluation/judge/testdata/coco', name);
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-judge-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A judge that likes words of the context, and who stands first by half a mark; question 5 it refuses, question 7 it does not mark. */
function marksFor({ body }: Received): Record<string, unknown> {
  const text = body.messages[1].content as string;
  const [, context, question, first, second] =
    /\[Context\]\n(.*?)\n\n\w+: \[.*?\[Question\]\n(.*?)\n.*?\[Assistant 1\]\n(.*?)\n.*?\[Assistant 2\]\n(.*?)\n/s.exec(text)!;
  const known = new Set(context.toLowerCase().match(/\w+/g));
  const mark = (answer: string): number => {
    const words = answer.toLowerCase().match(/\w+/g)!;
    return Math.round(10 * (words.filter(word => known.has(word)).length / words.length)) / 1.25;
  };
  if (/cyclist/.test(context) && /may happen/.test(question))
    return completion(null, { message: { role: 'assistant', content: null, refusal: 'No.' } });
  if (/red tram/.test(context) && /in detail/.test(question)) return completion('Both are fine.');
  return completion(`${mark(first) + 0.5} ${mark(second)}\nSo it is.`);
}

const call = (server: EndpointServer, output: string, ...more: string[]): Promise<Ended> =>
  narrows(
    [
      ...['judge', '--questions', data('questions.jsonl'), '--answers', data('answers_made-up-7b.jsonl')],
      ...['--references', data('reference.jsonl'), '--context', data('context.jsonl')],
      ...['--endpoint', server.url, '--judge-model', 'judge-1', '--output', output, ...more],
    ],
    { cwd: folder, env: { OPENAI_API_KEY: KEY } },
  );
const text = (...path: string[]): Promise<string> => readFile(join(folder, ...path), 'utf8');

describe('narrows judge', () => {
  it('judges in both orders, within a budget, goes on, and writes no key and no host', async () => {
    await using server = await endpointServer((request, response) => json(response, marksFor(request)));
    const stopped = await call(server, 'out', '--max-requests', '20');
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toContain('The budget of 20 requests is used up');
    expect(stopped.stderr).toContain('the same command goes on');
    const first = await call(server, 'out', '--json', '--rules', data('rule.json'));
    // Other rules are other questions: nothing of before fits them.
    expect(server.received).toHaveLength(20 + 72);
    expect(server.received.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
    const results = JSON.parse(first.stdout) as JudgeResults;
    expect(first.code).toBe(0);
    const refused = server.received
      .slice(20)
      .filter(({ body }) => /cyclist/.test(body.messages[1].content) && /may happen/.test(body.messages[1].content));
    expect(results).toMatchObject({
      ...{ judge: 'judge-1', model: 'made-up-7b', rules: 'rule.json', reviews: 72 },
      settings: { temperature: 0, seed: 0, maxTokens: 1024, orders: ['reference first', 'model first'], repeats: 1, sees: false },
      failures: { refused: refused.length, unreadable: expect.any(Number) },
      noise: { orders: { firstGains: 0.5 } },
      cost: { requests: 72, promptTokens: 720 },
    });
    expect(refused.length).toBeGreaterThan(0);
    expect(results.questions + results.lost.length).toBe(36);
    expect(results.score.relative).toBeLessThan(100);
    expect(results.official?.all.relative).not.toBeCloseTo(results.score.relative, 1);
    expect(results.warnings.join(' ')).toContain('do not count');
    expect(first.stderr).toContain(results.warnings[0]);
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['judge.json', 'replies.jsonl', 'reviews-swapped.jsonl', 'reviews.jsonl']);
    const swapped = (await text('out', 'reviews-swapped.jsonl')).split('\n')[0];
    expect(JSON.parse(swapped)).toMatchObject({
      question_id: 0,
      answer1_id: 'made-up-7b-0000',
      answer2_id: 0,
      metadata: { order: 'model first' },
    });

    // Nothing is sent for what is there, and the same comes out.
    const again = await call(server, 'out', '--json', '--rules', data('rule.json'));
    expect(server.received).toHaveLength(92);
    const { cost, ...same } = JSON.parse(again.stdout) as JudgeResults;
    expect(cost).toMatchObject({ requests: 0, cached: 72 });
    expect({ ...same, cost: results.cost }).toEqual(results);

    // Files of reviews say the same as the judging did.
    const files = ['reviews.jsonl', 'reviews-swapped.jsonl'].flatMap(name => ['--reviews', join('out', name)]);
    const summed = await narrows(['judge', ...files, '--questions', data('questions.jsonl'), '--json'], { cwd: folder });
    expect(JSON.parse(summed.stdout)).toMatchObject({ score: results.score, failures: results.failures, official: results.official });

    for (const said of [stopped, first, again].flatMap(ended => [ended.stdout, ended.stderr]))
      expect(said).not.toMatch(/sk-judge|127\.0\.0\.1/);
    for (const name of await readdir(join(folder, 'out')))
      expect(await text('out', name)).not.toMatch(/sk-judge|127\.0\.0\.1|uthorization/);
  });

  it('repeats with other seeds, and prints what a person reads', async () => {
    await using server = await endpointServer((request, response) => json(response, marksFor(request)));
    const ended = await call(server, 'repeats', '--order', 'reference-first', '--repeats', '2', '--against', data('review_c.jsonl'));
    expect(ended.stdout).toMatch(/^Relative preference of made-up-7b by judge-1: \d+\.\d ± \d+\.\d \(standard error over 12 pictures\)\n/);
    expect(ended.stdout).toContain('Asked again: the score varies by 0.0');
    expect(ended.stdout).toMatch(/Against .*review_c.jsonl: -\d/);
    expect(ended.stdout).toContain('Cost: 72 requests');
    expect(ended.stdout).toContain('Asked 2 times reference first, temperature 0, seed 0, 1024 tokens at most, by narrows@1.');
    expect(new Set(server.received.map(({ body }) => body.seed))).toEqual(new Set([0, 1]));
    expect(server.received[0].body).toMatchObject({ model: 'judge-1', temperature: 0, max_tokens: 1024 });
    expect((await readdir(join(folder, 'repeats'))).sort()).toEqual(['judge.json', 'replies.jsonl', 'reviews-2.jsonl', 'reviews.jsonl']);
  });

  it('asks for verdicts, again where there is none, and sums up files of them', async () => {
    await using server = await endpointServer((request, response, n) => {
      const [, a, b] = /\[Assistant A\]\n(.*?)\n.*?\[Assistant B\]\n(.*?)\n/s.exec(request.body.messages[1].content)!;
      // At first it says nothing, later it likes the shorter answer.
      json(
        response,
        completion(n === 0 ? 'Hard to say.' : a.length === b.length ? '[[A=B]]' : a.length < b.length ? '[[A>>B]]' : 'So: [[B>>A]]'),
      );
    });
    const ended = await call(server, 'verdicts', '--form', 'verdict', '--json');
    const results = JSON.parse(ended.stdout);
    expect(results).toMatchObject({
      ...{ form: 'verdict', rules: 'narrows-verdict@1', reviews: 72, failures: {} },
      score: { relative: 0, n: 72, clusters: 12 },
      board: { much_worse: 72, reward: -100 },
      noise: { orders: { flips: 0, same: 1 } },
      cost: { requests: 73 },
    });
    expect(server.received.map(({ body }) => body.seed).filter(seed => seed !== 0)).toEqual([1000]);
    const files = ['reviews.jsonl', 'reviews-swapped.jsonl'].flatMap(name => ['--reviews', join('verdicts', name)]);
    const summed = await narrows(['judge', '--form', 'verdict', ...files, '--questions', data('questions.jsonl')], { cwd: folder });
    expect(summed.stdout).toContain('Score of the model of the reviews against the reference by the judge of the reviews: 0.0 ± 0.0');
    const wrong = await narrows(['judge', '--form', 'verdict', '--against', 'x', ...files], { cwd: folder });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--against belongs to marks')]);
  });

  it('takes the stand-in of the examples for a judge', async () => {
    const child = spawn(process.execPath, [join(repository, 'examples/stand-in-judge.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const { value: url } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
      const ended = await call({ url } as EndpointServer, 'stand-in', '--json');
      expect(JSON.parse(ended.stdout)).toMatchObject({ failures: {}, reviews: 72, noise: { orders: { flips: 0, firstGains: 0 } } });
    } finally {
      child.kill();
    }
  });

  it('says what is missing, and what the endpoint did', async () => {
    const bare = await narrows(['judge', '--endpoint', 'http://localhost:1'], { cwd: folder });
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('--judge-model, --output are missing')]);
    for (const [flags, says] of [
      [['run', 'images'], '--images does not go with --run'],
      [['reviews', 'endpoint'], '--endpoint does not go with --reviews'],
      [['reviews', 'maxRequests'], '--max-requests belongs to --endpoint'],
      [['questions', 'benchmark'], '--benchmark belongs to --run'],
    ] as const)
      expect(() => checkWays(new Set(flags))).toThrow(says);
    for (const flags of [['run', 'scenario', 'endpoint', 'rules'], ['reviews', 'questions', 'answers', 'order', 'against'], ['judgeModel']])
      expect(() => checkWays(new Set(flags))).not.toThrow();
    const half = await narrows(['judge', '--questions', 'q', '--endpoint', 'http://x', '--judge-model', 'j', '--output', 'o'], {
      cwd: folder,
    });
    expect([half.code, half.stderr]).toEqual([2, expect.stringContaining('--answers, --references are missing')]);
    await writeFile(join(folder, 'rule.json'), JSON.stringify({ conv: { role: 'Assistant', prompt: 'x' } }));
    await using server = await endpointServer((_, response) => json(response, { error: { message: `no, ${KEY}` } }, 401));
    const rules = await call(server, 'none', '--rules', 'rule.json');
    expect([rules.code, rules.stderr, server.received.length]).toEqual([
      2,
      expect.stringContaining('no rule for the category "detail"'),
      0,
    ]);
    await using fine = await endpointServer((_, response) => json(response, completion('8 7')));
    const refused = await call(server, 'none');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('The endpoint refuses the key or asks for one (401)');
    expect(refused.stderr).not.toContain(KEY);
    const blind = await narrows(
      [
        ...[
          'judge',
          '--questions',
          data('questions.jsonl'),
          '--answers',
          data('answers_made-up-7b.jsonl'),
          '--references',
          data('reference.jsonl'),
        ],
        ...['--endpoint', fine.url, '--judge-model', 'judge-1', '--output', 'blind', '--order', 'reference-first'],
      ],
      { cwd: folder },
    );
    expect(blind.stderr).toContain('For 36 of 36 questions the judge gets no description of the picture');
  });
});
