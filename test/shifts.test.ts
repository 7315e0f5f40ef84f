/** @file `narrows shifts` as a process: lists, describes, applies, and refuses in one sentence. */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { decodeImage } from '../src/inputs/image/decode.ts';
import { shiftImage, shiftText } from '../src/shifts/apply.ts';
import { shifts } from '../src/shifts/registry.ts';
import { suites } from '../src/shifts/suites/registry.ts';
import { narrows, pooled, repository, scratch } from './support.ts';

const cwd = scratch();
const scene = join(repository, 'examples/scene.png');
const call = (...args: string[]) => narrows(['shifts', ...args], { cwd });
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

it('lists and describes', async () => {
  const [all, one, suite] = await Promise.all(pooled([() => call('--json'), () => call('defocus-blur'), () => call('emi-synthetic')]));
  expect(JSON.parse(all.stdout).map((s: { name: string }) => s.name)).toEqual([...shifts, ...suites].map(s => s.name));
  expect(suite.stdout).toMatch(/frost:5\+keyboard:3 +joint/);
  expect(one.code).toBe(0);
  expect(one.stdout).toMatch(/radius 3, 4, 6, 8, 10 pixels/);
});

it('changes a picture and a text as the library does', async () => {
  const [picture, text] = await Promise.all([
    call('gaussian_noise', scene, '--severity', '2', '--seed', '5', '--sample', '1', '--output', 'noisy.png'),
    call('keyboard', '--text', '<image> Is there a zebra?', '--protect', '<image>', '--severity', '7', '--seed', '5'),
  ]);
  expect(picture.stderr).toBe('');
  expect(picture.stdout).toBe('noisy.png\n');
  const want = await shiftImage('gaussian_noise', await decodeImage(scene), 2, { seed: 5, sample: 1 });
  expect(await decodeImage(join(cwd, 'noisy.png'))).toMatchObject({ width: want.width, height: want.height, data: want.data });
  expect(text.stdout).toBe(`${shiftText('keyboard', '<image> Is there a zebra?', 7, { seed: 5, protect: ['<image>'] })}\n`);
});

it('changes a folder and a file of questions, is stopped and goes on', async () => {
  const photos = join(cwd, 'photos');
  mkdirSync(photos);
  for (let i = 0; i < 12; i++) cpSync(scene, join(photos, `${String(i).padStart(2, '0')}.png`));
  writeFileSync(join(cwd, 'q.jsonl'), '{"question_id": 1, "text": "<image>\\nIs there an elephant in the picture?"}\n');
  const target = join(cwd, 'foggy');
  const stopped = await narrows(['shifts', 'elastic_transform', photos, '--output', target], {
    cwd,
    interruptWhen: () => existsSync(join(target, '02.png')),
  });
  expect(stopped.code).toBe(130);
  const before = readdirSync(target).filter(name => name.endsWith('.png')).length;
  expect(before).toBeLessThan(12);
  const [rest, words] = await Promise.all([
    call('elastic_transform', photos, '--output', target, '--json'),
    call('keyboard', 'q.jsonl', '--severity', '7', '--output', 'typos'),
  ]);
  expect(JSON.parse(rest.stdout)).toMatchObject({ written: 12 - before, kept: before, failed: [] });
  const want = await shiftImage('elastic_transform', await decodeImage(scene), 3, { sample: 11 });
  expect((await decodeImage(join(target, '11.png'))).data).toEqual(want.data);
  expect(readdirSync(target).filter(name => !name.endsWith('.png'))).toEqual(['shift.json']);
  expect([words.code, words.stdout]).toEqual([0, `${join('typos', 'q.jsonl')}\n`]);
});

it('refuses in one sentence, with exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['ocr', scene], /ocr changes texts, not pictures; give --text "\.\.\." or a \.jsonl file/],
    [['fog', scene], /add --output FILE\.png/],
    [['fog', scene, '--output', 'a.jpg'], /written as PNG/],
    [['fog', scene, '--severity', '7', '--output', 'a.png'], /severity of fog must be a whole number from 1 to 5; got 7/],
    [['foggy'], /did you mean fog\?/],
  ];
  const ended = await Promise.all(
    pooled(
      cases.map(
        ([args]) =>
          () =>
            call(...args),
      ),
    ),
  );
  for (const [i, { code, stdout, stderr }] of ended.entries()) {
    expect(stderr).toMatch(cases[i][1]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  }
});
