import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { groundingOf } from '../../evaluation/answers/grounding.ts';
import { writePicture, writeTinyChat } from '../../generation/testing/tiny-chat.ts';
import { attributionFromJson } from '../../report/attribution/json.ts';
import { parseCsv } from '../../system/csv.ts';
import { attributeCommand } from '../commands/attribute.ts';
import { runProgram } from '../program.ts';
import { callCommand } from '../testing/call-command.ts';

let root: string;
let model: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-questions-'));
  model = await writeTinyChat(join(root, 'tiny'));
  await writePicture(join(root, 'red.png'), [220, 30, 30]);
  await writePicture(join(root, 'green.png'), [30, 200, 30]);
  const lines = [
    'image,question,answer,box',
    'red.png,what color is the cat ?,red,"[0,0,6,12]"',
    'green.png,is there a dog ?,yes,',
    'red.png,how many things are there ?,a giraffe,',
    'gone.png,is there a cat ?,no,',
  ];
  await writeFile(join(root, 'questions.csv'), `${lines.join('\n')}\n`);
});
afterAll(() => rm(root, { recursive: true }));

const call = (...more: string[]) =>
  callCommand(attributeCommand, [
    ...['--pairs', join(root, 'questions.csv'), '--model', model, '--method', 'occlusion', '--formats', 'json'],
    ...['--output', join(root, 'out'), ...more],
  ]);

describe('attribute --pairs on a model that answers', () => {
  it('explains each answer, lists the least grounded first, and says what failed', async () => {
    const { code, stdout, stderr } = await call();
    expect(stdout).toContain('2 of 4 answers explained, 2 failed');
    expect(stderr).toContain('cannot write "giraffe"');
    expect(stderr).toContain('gone.png does not exist');
    expect(code).toBe(1);
    const [head, ...rows] = parseCsv(await readFile(join(root, 'out', 'summary.csv'), 'utf8')).map(record => record.fields);
    const column = (name: string): (string | undefined)[] => rows.map(row => row[head.indexOf(name)]);
    // Failures stand on top, then by grounding.
    expect(column('image').slice(2).sort()).toEqual(['green.png', 'red.png']);
    expect(column('answer').slice(2).sort()).toEqual(['red', 'yes']);
    expect(column('failure').slice(0, 2).every(Boolean)).toBe(true);
    const red = column('image').lastIndexOf('red.png');
    // The share inside of a box of half the picture is that of the map which its file holds.
    const results = (await readFile(join(root, 'out', 'results.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(Number(column('inside_box')[red])).toBeCloseTo(results[red].insideBox, 10);
    // Every figure of a row is that of the answer's own file, and they are in order.
    for (const name of await readdir(join(root, 'out', 'answers'))) {
      const made = attributionFromJson(await readFile(join(root, 'out', 'answers', name), 'utf8'));
      const at = column('question').findIndex((question, i) => i >= 2 && question === made.caption);
      expect(column('answer')[at]).toBe(made.answer!.text);
      const sum = made.answer!.tokens.reduce((all, token) => all + token.logProbability, 0);
      expect(Number(column('log_probability')[at])).toBeCloseTo(sum, 6);
      const figures = groundingOf(made, at === red ? [0, 0, 6, 12] : undefined);
      expect(Number(column('image_mass')[at])).toBeCloseTo(figures.image, 6);
      expect(Number(column('image_share')[at])).toBeCloseTo(figures.imageShare, 6);
      if (at === red) expect(Number(column('inside_box')[at])).toBeCloseTo(figures.thingShare!, 6);
    }
    const keys = [2, 3].map(at => Number(column('inside_box')[at] || column('image_share')[at]));
    expect(keys[0]).toBeLessThanOrEqual(keys[1]);
    const page = await readFile(join(root, 'out', 'index.html'), 'utf8');
    expect(page).toContain('Inside the box');
    // What is done is not done again.
    const again = await call();
    expect(again.stdout).toContain('2 of 4 answers explained');
    expect(await readFile(join(root, 'out', 'summary.csv'), 'utf8')).toContain('giraffe');
  }, 120_000);

  it('says of every row that its nats are not to be relied on, in table, lines and page', async () => {
    const output = join(root, 'gates');
    const gates = (...more: string[]) =>
      callCommand(attributeCommand, [
        ...['--pairs', join(root, 'questions.csv'), '--model', model, '--method', 'm2ib', '--steps', '3', '--formats', 'json'],
        ...['--output', output, ...more],
      ]);
    await gates();
    const [head, ...rows] = parseCsv(await readFile(join(output, 'summary.csv'), 'utf8')).map(record => record.fields);
    expect(rows.map(row => row[head.indexOf('verdict')]).sort()).toEqual(['', '', 'not converged', 'not converged']);
    expect((await readFile(join(output, 'results.jsonl'), 'utf8')).match(/"verdict":"not converged"/g)).toHaveLength(2);
    const page = await readFile(join(output, 'index.html'), 'utf8');
    expect(page.match(/<td class="remarks"[^>]*>not converged; /g)).toHaveLength(2);
    expect(page).toContain('How nats divide between picture and question differs between optimisations');
    // A row belongs to the options as they were filled in, not to those that were named.
    const made = async (): Promise<number> => (await readFile(join(output, 'cells.jsonl'), 'utf8')).match(/"result":/g)!.length;
    expect(await made()).toBe(2);
    await gates('--learning-rate-schedule', 'linear', '--batch-size', '2');
    expect(await made()).toBe(2);
    await gates('--learning-rate-schedule', 'constant');
    expect(await made()).toBe(4);
  }, 120_000);

  it('refuses what a list of questions cannot have', async () => {
    expect((await call('--workers', '2')).stderr).toContain('leave --workers out');
    const { stderr } = await callCommand(attributeCommand, [
      '--pairs',
      join(root, 'questions.csv'),
      '--model',
      model,
      '--method',
      'posterior',
      '--output',
      join(root, 'p'),
    ]);
    expect(stderr).toContain('takes a method that explains answers');
  }, 120_000);

  it('takes the flags of the method that is taken for answers where none is named', async () => {
    const silent = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const path = join(root, 'one.json');
    const args = [
      'attribute',
      join(root, 'red.png'),
      'is there a dog ?',
      '--model',
      model,
      '--layer',
      '-2',
      '--steps',
      '2',
      '--output',
      path,
    ];
    await runProgram(args, new AbortController().signal);
    silent.mockRestore();
    const { method, parameters } = attributionFromJson(await readFile(path, 'utf8'));
    expect([method, parameters.layer, parameters.steps]).toEqual(['m2ib', -2, 2]);
  }, 120_000);
});
