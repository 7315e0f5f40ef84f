/** @file Resident memory of `narrows attribute` on a 605 MB checkpoint. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { exists, inRepository } from '../models.ts';
import { runNode } from '../process.ts';
import { type Context, type Suite, type SuiteResult, skipped } from '../suite.ts';

const MB = 1e6;
const HEADROOM = 300 * MB;

async function run({ repeat, status, ...context }: Context): Promise<SuiteResult> {
  if (process.platform !== 'linux') return skipped('memory is read from /proc, which only Linux has');
  const main = inRepository('dist', 'cli', 'main.js');
  if (!(await exists(main))) return skipped('dist is missing; run: npm run build');
  const model = await context.b32WithTokenizer();
  const weights = (await stat(join(model, 'model.safetensors'))).size;
  const scratch = await context.scratch();
  const photo = join(scratch, 'photo.png');
  const [width, height] = [640, 480];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31 + (i >> 9) * 17) & 255);
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(photo);
  const record = join(scratch, 'map.json');
  const peaks = { resident: [] as number[], anonymous: [] as number[], file: [] as number[] };
  for (let round = 0; round < Math.min(repeat, 3); round++) {
    // No --method: what a person gets who asks for nothing else.
    const caption = 'a photo of a cat and a dog on grass';
    const args = [main, 'attribute', photo, caption, '--model', model, '--output', join(scratch, 'map.png'), '--output', record];
    const { memory } = await runNode(args, scratch, true);
    if (!memory) return skipped('the process ended before its memory could be read');
    for (const key of ['resident', 'anonymous', 'file'] as const) peaks[key].push(memory[key] / MB);
    status(`  run ${round + 1}: ${(memory.resident / MB).toFixed(0)} MB`);
  }
  const { method } = JSON.parse(await readFile(record, 'utf8')) as { method: string };
  const limit = Math.round((weights + HEADROOM) / MB);
  return {
    rows: [
      {
        name: `peak resident, default method (${method})`,
        unit: 'MB',
        values: peaks.resident,
        aims: [{ atMost: limit }],
        notes: [
          `weights ${(weights / MB).toFixed(0)} MB + 300 MB = ${limit} MB; peaks of the parts, at different moments: ` +
            `anonymous ${median(peaks.anonymous).toFixed(0)} MB, mapped files ${median(peaks.file).toFixed(0)} MB.`,
        ],
      },
    ],
  };
}

/** See the file's head. */
export const memory: Suite = {
  name: 'memory',
  about:
    'Peak resident memory of `narrows attribute` (image and text map, PNG) with its default method on a ViT-B/32-shaped checkpoint (VmHWM of the process).',
  run,
};
