/** `narrows compare` on a NaFlex checkpoint, whose pictures keep their shape: pictures of one shape, of several, and of several at one size. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMethod } from '../../attribution/registry.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { loadModel } from '../../models/pretrained.ts';
import { familyDirectory } from '../../models/testing/families.ts';
import { sharp } from '../../node/sharp.ts';
import { compareCommand } from '../commands/compare.ts';
import { callCommand } from '../testing/call-command.ts';

const model = familyDirectory('naflex/testdata/naflex-tiny');
const folder = mkdtempSync(join(tmpdir(), 'narrows-naflex-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  for (const [name, width, height] of [
    ['wide-a', 64, 16],
    ['wide-b', 64, 16],
    ['high', 16, 64],
  ] as const) {
    const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * (name.length + 31) + (i >> 5) * 17) % 256);
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(folder, `${name}.png`));
  }
  const line = (image: string, text: string, box: number[]): string => JSON.stringify({ image: `${image}.png`, text, box });
  const wide = [line('wide-a', 'right pleural effusion', [0, 0, 32, 16]), line('wide-b', 'pneumothorax', [48, 0, 16, 8])];
  writeFileSync(join(folder, 'wide.jsonl'), wide.join('\n'));
  writeFileSync(join(folder, 'mixed.jsonl'), [...wide, line('high', 'effusion', [0, 0, 16, 16])].join('\n'));
});

const run = (list: string, ...more: string[]) =>
  callCommand(compareCommand, [
    ...['--data', join(folder, list), '--model', model, '--modality', 'image', '--methods', 'grad-cam', '--reference', 'grad-cam'],
    ...[
      '--metrics',
      'energy-pointing-game',
      '--seeds',
      '1',
      '--workers',
      '0',
      '--output',
      join(folder, `out-${list}-${more.length}`),
      ...more,
    ],
  ]);
const results = (list: string, more = 0) => JSON.parse(readFileSync(join(folder, `out-${list}-${more}`, 'results.json'), 'utf8')).parts[0];

it('judges maps on a grid that is no square', { timeout: 120_000 }, async () => {
  expect(await run('wide.jsonl')).toMatchObject({ code: 0 });
  const { pairs, values } = results('wide.jsonl');
  expect(pairs).toHaveLength(2);
  await using opened = await loadModel(model);
  await using method = createMethod('grad-cam', opened);
  for (const [k, [name, text, share]] of (
    [
      ['wide-a', 'right pleural effusion', 0.5],
      ['wide-b', 'pneumothorax', 0.125],
    ] as const
  ).entries()) {
    const image = await decodeImage(join(folder, `${name}.png`));
    const map = (await method.attribute({ image, text }, { modality: 'image' })).image!;
    // 16 patches of 8 pixels of a picture four times as wide as high: 2 rows of 8.
    expect(map.grid).toEqual([2, 8]);
    expect(values['energy-pointing-game'].uniform[k][0]).toBeCloseTo(share, 6);
    const value = values['energy-pointing-game']['grad-cam'][k][0];
    const mass = map.patches.map(v => Math.max(0, v));
    const inside = mass.filter((_, i) => (k === 0 ? i % 8 < 4 : i < 8 && i % 8 >= 6));
    const total = mass.reduce((a, b) => a + b, 0);
    if (total === 0) expect(value).toBeNull();
    // Between patches the map is interpolated, so shares of patches are near and no more.
    else expect(Math.abs(value - inside.reduce((a, b) => a + b, 0) / total)).toBeLessThan(0.2);
  }
});

it('goes through pictures of several shapes, each by itself, and at one size by --image-size', { timeout: 120_000 }, async () => {
  expect(await run('mixed.jsonl')).toMatchObject({ code: 0 });
  const { pairs, values } = results('mixed.jsonl');
  expect(pairs).toHaveLength(3);
  const of = (all: typeof values) => all['energy-pointing-game']['grad-cam'];
  // What stands beside a picture changes nothing of its map.
  for (const [k, [value]] of of(results('wide.jsonl').values).entries()) expect(of(values)[k][0]).toBeCloseTo(value, 5);
  // The upper quarter of a picture of 8 by 2 patches.
  expect(values['energy-pointing-game'].uniform[2][0]).toBeCloseTo(0.25, 6);
  expect(await run('mixed.jsonl', '--image-size', '32')).toMatchObject({ code: 0 });
  expect(of(results('mixed.jsonl', 2).values)).toHaveLength(3);
  expect(of(results('mixed.jsonl', 2).values)).not.toEqual(of(values));
});
