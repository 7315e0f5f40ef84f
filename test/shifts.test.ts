/** @file `narrows shifts` as a process: lists, describes, applies, and refuses in one sentence. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { decodeImage } from '../src/inputs/image/decode.ts';
import { shiftImage, shiftText } from '../src/shifts/apply.ts';
import { shifts } from '../src/shifts/registry.ts';
import { narrows, pooled, repository, scratch } from './support.ts';

const cwd = scratch();
const scene = join(repository, 'examples/scene.png');
const call = (...args: string[]) => narrows(['shifts', ...args], { cwd });
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

it('lists and describes', async () => {
  const [all, one] = await Promise.all([call('--json'), call('defocus-blur')]);
  expect(JSON.parse(all.stdout).map((s: { name: string }) => s.name)).toEqual(shifts.map(s => s.name));
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

it('refuses in one sentence, with exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['ocr', scene], /ocr changes texts, not pictures; give --text "\.\.\."\./],
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
