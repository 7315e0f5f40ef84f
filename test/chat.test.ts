/** @file `narrows chat` and `narrows generate` as processes: pipes, JSON, exit codes, and a run killed with SIGKILL that goes on. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePicture, writeTinyChat } from '../src/generation/testing/tiny-chat.ts';
import { command, narrows, scratch } from './support.ts';

const root = scratch();
const call = (...args: string[]) => narrows(args, { cwd: root, env: { NARROWS_SPIN: '0' } });
beforeAll(async () => {
  await writeTinyChat(join(root, 'tiny'));
  await mkdir(join(root, 'images'));
  await writePicture(join(root, 'images/red.png'), [250, 10, 0]);
  const words = 'is there a cat or two red things left of it in the picture'.split(' ');
  const rows = Array.from({ length: 48 }, (_, i) => ({
    question_id: `q${i}`,
    ...(i % 2 ? {} : { image: 'red.png' }),
    text: `${words.slice(0, 1 + ((7 * i) % 14)).join(' ')} ?`,
  }));
  await writeFile(join(root, 'questions.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(() => rm(root, { recursive: true }));

const GENERATE = ['generate', '--model', 'tiny', '--input', 'questions.jsonl', '--images', 'images', '--batch-size', '4', '--stop', 'zzz'];
const text = (name: string): Promise<string> => readFile(join(root, name), 'utf8');

/** Starts `generate`, kills it once `rows` rows are there. */
async function killed(output: string, rows: number): Promise<number> {
  const { file, args } = command([...GENERATE, '--output', output]);
  const child = spawn(file, args, { cwd: root, stdio: 'ignore', env: { ...process.env, NARROWS_SPIN: '0' } });
  const ended = new Promise(resolve => child.on('close', resolve));
  let there = 0;
  while (child.exitCode === null && there < rows) {
    await new Promise(resolve => setTimeout(resolve, 5));
    there = (await text(output).catch(() => '')).split('\n').length - 1;
  }
  child.kill('SIGKILL');
  await ended;
  return there;
}

describe('narrows generate', () => {
  it('killed twice and started again, writes what an uninterrupted run writes', async () => {
    expect(await call(...GENERATE, '--output', 'whole.jsonl')).toMatchObject({ code: 0, stdout: '' });
    const whole = await text('whole.jsonl');
    expect(whole.split('\n')).toHaveLength(49);
    await killed('cut.jsonl', 3);
    await killed('cut.jsonl', 20);
    const left = await text('cut.jsonl');
    expect(left.length).toBeLessThan(whole.length);
    // A row torn by a crash of the machine.
    await writeFile(join(root, 'cut.jsonl'), left.slice(0, -9));
    const ended = await call(...GENERATE, '--output', 'cut.jsonl', '--json');
    expect(ended.stderr).toContain('The last row of cut.jsonl was cut short');
    expect(JSON.parse(ended.stdout)).toMatchObject({ questions: 48, skipped: 0, model: 'tiny' });
    expect(await text('cut.jsonl')).toBe(whole);
    const other = await call(...GENERATE, '--output', 'cut.jsonl', '--temperature', '1');
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(
      /(^|\n)narrows: cut.jsonl, line 1 is an answer that was made with other settings .*choose another --output.\n$/,
    );
  });

  it('lists and counts missing images, and leaves them out on request', async () => {
    const rows = [
      { question_id: 1, image: 'a.png', text: 'is it ?' },
      { question_id: 2, image: 'red.png', text: 'is it ?' },
    ];
    await writeFile(join(root, 'missing.jsonl'), rows.map(row => JSON.stringify(row)).join('\n'));
    const args = ['generate', '--model', 'tiny', '--input', 'missing.jsonl', '--images', 'images', '--output', 'few.jsonl'];
    const refused = await call(...args);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^narrows: 1 image of 1 of 2 conversations is missing from .*images: a.png; .*--skip-missing.\n$/);
    const done = await call(...args, '--skip-missing', '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ questions: 2, answered: 1, skipped: 1 });
    expect(done.stderr).toContain('1 of 2 questions are left out, since an image is missing');
  });
});

describe('narrows chat', () => {
  it('answers one question, as text and as JSON, and says what cannot be', async () => {
    const args = ['chat', '--model', 'tiny', '--image', 'images/red.png', '--question', 'what color ?', '--max-new-tokens', '5'];
    const [plain, json, clip] = [await call(...args), await call(...args, '--json'), await call('chat', '--model', 'scene-clip')];
    expect(plain.code).toBe(0);
    // The tiny model is saved without a processor; nothing else is said.
    expect(plain.stderr.split('\n').filter(line => line && !/^Warning: .* has no image rules/.test(line))).toEqual([]);
    const answer = JSON.parse(json.stdout);
    expect(answer).toMatchObject({ question: 'what color ?', model: 'tiny', template: 'jinja', promptTokens: 12 });
    expect(plain.stdout).toBe(`${answer.text}\n`);
    expect(clip.code).toBe(1);
    expect(clip.stderr).toMatch(/^narrows: .*a model that compares images with texts and writes none; .*\n$/);
  });
});
