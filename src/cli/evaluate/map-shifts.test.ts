/** `narrows evaluate --attribution`: what stands in maps.jsonl, maps.json and the results is what the method gives of these pictures. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { AnswerAttributor } from '../../attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../attribution/method.ts';
import { gradientReadOut } from '../../attribution/methods/saliency.ts';
import { findMethod } from '../../attribution/registry.ts';
import { mapAgreement } from '../../evaluation/answers/map-movement.ts';
import { fineMap, scoreInside } from '../../evaluation/metrics/placed-map.ts';
import type { EvaluationResults } from '../../evaluation/run/results.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { writeTinyChat } from '../../generation/testing/tiny-chat.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { shiftImage } from '../../shifts/apply.ts';
import { runProgram } from '../program.ts';

const QUESTION = 'what color is the cat ?';
const BOX = [2, 1, 5, 6];
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-maps-'));
  await writeTinyChat(join(root, 'tiny'));
});
afterAll(() => rm(root, { recursive: true }));

it('moves the maps of the clean answers, and finds mass on the thing only where the shift leaves it', async () => {
  const names = ['a', 'b'];
  for (const [n, name] of names.entries()) {
    const data = Uint8Array.from({ length: 432 }, (_, i) => (i * (31 + 6 * n) + (i % 7) * 11) % 256);
    await sharp(data, { raw: { width: 12, height: 12, channels: 3 } })
      .png()
      .toFile(join(root, `${name}.png`));
  }
  const rows = names.map((name, id) => JSON.stringify({ id, image: `${name}.png`, question: QUESTION, answer: 'red', box: BOX }));
  await writeFile(join(root, 'questions.jsonl'), `${rows.join('\n')}\n`);
  const output = join(root, 'out');
  let printed = '';
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    printed += String(chunk);
    return true;
  });
  const args = ['evaluate', '--model', join(root, 'tiny'), '--benchmark', 'generic', '--data', join(root, 'questions.jsonl')];
  const more = ['--shifts', 'contrast:3,mirror:1', '--attribution', 'saliency', '--max-new-tokens', '3', '--output', output, '--json'];
  const code = await runProgram([...args, ...more], new AbortController().signal);
  spy.mockRestore();
  vi.restoreAllMocks();
  expect(code ?? 0).toBe(0);
  const results: EvaluationResults = JSON.parse(printed);
  await using chat = await ChatModel.open(join(root, 'tiny'));
  await using attributor = new AnswerAttributor(findMethod('saliency') as MethodEntry, chat);
  const answers = (await readFile(join(output, 'answers', 'generic', 'clean.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  const expected: Record<string, { correlation: number; mass: number }[]> = { 'contrast:3': [], 'mirror:1': [] };
  for (const [n, name] of names.entries()) {
    const clean = await decodeImage(join(root, `${name}.png`));
    const explain = async (image: RgbImage) =>
      (await attributor.attribute({ image, text: answers[n].prompt }, { answer: answers[n].text, modality: 'image', parts: 'none' }))
        .image!;
    const before = await explain(clean);
    for (const scenario of Object.keys(expected)) {
      const [shift, severity] = scenario.split(':');
      const after = await explain(await shiftImage(shift, clean, Number(severity), { seed: 0, sample: n }));
      const mass = scoreInside(fineMap(after), [BOX]).energy;
      expected[scenario].push({ correlation: mapAgreement(before.patches, after.patches), mass });
    }
  }
  const average = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
  const maps = JSON.parse(await readFile(join(output, 'maps.json'), 'utf8')).sets.generic;
  for (const [scenario, moved] of Object.entries(expected)) {
    const { distances } = results.sets[0].scenarios.find(one => one.scenario.name === scenario)!;
    expect(distances!.map_correlation, scenario).toBeCloseTo(average(moved.map(one => one.correlation)), 4);
    expect(maps[scenario].correlation.estimate).toBe(distances!.map_correlation);
  }
  expect(results.sets[0].scenarios[1].distances!.map_mass).toBeCloseTo(average(expected['contrast:3'].map(one => one.mass)), 4);
  expect(maps['contrast:3'].mass.n).toBe(2);
  expect(maps['mirror:1']).not.toHaveProperty('mass');
  expect(await readFile(join(output, 'scores.csv'), 'utf8')).toContain('map_mass');

  // The same folder in a version whose default is another one: its maps are made, not those of before taken.
  const again = async (): Promise<number> => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await runProgram([...args, ...more], new AbortController().signal);
    vi.restoreAllMocks();
    return (await readFile(join(output, 'maps.jsonl'), 'utf8')).split('\n').filter(line => line.includes('"correlation"')).length;
  };
  expect(await again()).toBe(4);
  const entry = findMethod('saliency') as { schema: unknown };
  const { schema } = entry;
  entry.schema = z.strictObject({ ...gradientReadOut, channels: gradientReadOut.channels.unwrap().default('sum') });
  try {
    expect(await again()).toBe(8);
  } finally {
    entry.schema = schema;
  }
}, 120_000);
