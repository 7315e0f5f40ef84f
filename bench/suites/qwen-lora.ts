/** @file Peak memory of a LLaVA whose decoder has Qwen2-0.5B's shape: tuned by LoRA, with and without recomputation, and answering. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { inRepository } from '../models.ts';
import { runNode } from '../process.ts';
import { writeQwenLlava } from '../random-llava.ts';
import { type Context, type Row, type Suite, type SuiteResult, skipped } from '../suite.ts';

const MB = 1e6;
/** Peaks repeat to within a few MB; a process takes long. */
const ROUNDS = 1;

async function run({ repeat, status, threads, ...context }: Context): Promise<SuiteResult> {
  if (process.platform !== 'linux') return skipped('memory is read from /proc, which only Linux has');
  const scratch = await context.scratch();
  const directory = join(scratch, 'qwen-llava');
  status('  writing 2 GB of random weights');
  await writeQwenLlava(directory);
  const weights = (await stat(join(directory, 'model.safetensors'))).size / MB;
  const cases = [
    { mode: 'generate', name: 'generate', limit: Math.round(weights + 500), what: '272 prompt tokens, 64 new ones' },
    { mode: 'tune', name: 'LoRA', limit: 12_000, what: 'batch 2 × 512 tokens' },
    { mode: 'recompute', name: 'LoRA, recompute', limit: 12_000, what: 'batch 2 × 512 tokens, blocks recomputed' },
  ];
  const rows: Row[] = [];
  for (const { mode, name, limit, what } of cases) {
    const peaks = { resident: [] as number[], anonymous: [] as number[], file: [] as number[] };
    let seconds: number[] = [];
    for (let round = 0; round < Math.min(repeat, ROUNDS); round++) {
      const out = join(scratch, `${mode}.json`);
      const child = inRepository('bench', 'suites', 'qwen-lora-child.ts');
      const { memory } = await runNode(['--import', 'tsx', child, mode, directory, out, String(threads)], inRepository(), true);
      if (!memory) return skipped('the process ended before its memory could be read');
      for (const key of ['resident', 'anonymous', 'file'] as const) peaks[key].push(memory[key] / MB);
      seconds = (JSON.parse(await readFile(out, 'utf8')) as { seconds: number[] }).seconds;
      status(`  ${name}: ${(memory.resident / MB).toFixed(0)} MB`);
    }
    const took = mode === 'generate' ? `${(64 / seconds[0]).toFixed(1)} tokens/s` : `${Math.min(...seconds).toFixed(1)} s a step`;
    rows.push({
      name,
      unit: 'MB',
      values: peaks.resident,
      aims: [{ atMost: limit }],
      notes: [
        `${what}, ${took}; peaks of the parts: anonymous ${median(peaks.anonymous).toFixed(0)} MB, mapped files ${median(peaks.file).toFixed(0)} MB.`,
      ],
    });
  }
  return {
    rows,
    notes: [`Random float32 weights of ${weights.toFixed(0)} MB; LoRA of rank 16 on every linear layer of the decoder, projector trained.`],
  };
}

/** See the file's head. */
export const qwenLora: Suite = {
  name: 'qwen-lora',
  about: "Peak resident memory (VmHWM) of processes that run a LLaVA with a decoder of Qwen2-0.5B's shape under a small CLIP tower.",
  run,
};
