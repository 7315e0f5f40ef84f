/** @file Peak memory of a SmolVLM of 256M's shape, random weights: answering about a picture of thirteen tiles, and tuned on it by LoRA. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { inRepository } from '../models.ts';
import { runNode } from '../process.ts';
import { writeSmolVlm } from '../random-llava.ts';
import { type Context, type Row, type Suite, type SuiteResult, skipped } from '../suite.ts';

const MB = 1e6;

async function run({ status, threads, ...context }: Context): Promise<SuiteResult> {
  if (process.platform !== 'linux') return skipped('memory is read from /proc, which only Linux has');
  const scratch = await context.scratch();
  const directory = join(scratch, 'smolvlm');
  status('  writing 1 GB of random weights');
  await writeSmolVlm(directory);
  const weights = (await stat(join(directory, 'model.safetensors'))).size / MB;
  const cases = [
    { mode: 'generate', name: 'generate', limit: Math.round(weights + 600), what: '960 prompt tokens, 32 new ones' },
    { mode: 'tune', name: 'LoRA', limit: 8000, what: 'one conversation of 960 tokens' },
  ];
  const rows: Row[] = [];
  for (const { mode, name, limit, what } of cases) {
    const out = join(scratch, `${mode}.json`);
    const child = inRepository('bench', 'suites', 'smolvlm-memory-child.ts');
    // Peaks repeat to within a few MB; a process takes long.
    const { memory } = await runNode(['--import', 'tsx', child, mode, directory, out, String(threads)], inRepository(), true);
    if (!memory) return skipped('the process ended before its memory could be read');
    const { seconds } = JSON.parse(await readFile(out, 'utf8')) as { seconds: number[] };
    status(`  ${name}: ${(memory.resident / MB).toFixed(0)} MB`);
    rows.push({
      name,
      unit: 'MB',
      values: [memory.resident / MB],
      aims: [{ atMost: limit }],
      notes: [
        `${what}, ${Math.min(...seconds).toFixed(1)} s; anonymous ${median([memory.anonymous / MB]).toFixed(0)} MB, mapped files ${median([memory.file / MB]).toFixed(0)} MB.`,
      ],
    });
  }
  return {
    rows,
    notes: [
      `Random float32 weights of ${weights.toFixed(0)} MB, thirteen tiles of 512 x 512; LoRA of rank 16 on every linear layer of the decoder.`,
    ],
  };
}

/** See the file's head. */
export const smolvlmMemory: Suite = {
  name: 'smolvlm-memory',
  about: "Peak resident memory (VmHWM) of processes that run a SmolVLM of 256M's shape.",
  run,
};
