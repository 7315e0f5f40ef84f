/**
 * @file What one more row of a forward pass takes of memory, beside the estimate by which batches are cut (`models/row-bytes.ts`, whose test holds these
 * figures): the peak of a process's anonymous memory with a few rows and with many, on one thread. Linux only.
 * usage: node --import tsx bench/evidence/forward-memory.ts
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowBytes } from '../../src/models/row-bytes.ts';
import { runNode } from '../process.ts';
import { B32, writeRandomClip } from '../random-clip.ts';
import { QWEN_LLAVA, writeQwenLlava, writeSmallLlava } from '../random-llava.ts';
import type { Shape } from './forward-memory-child.ts';

/** A model, its size, and rows of the smaller and the larger run. */
interface Case {
  readonly of: string;
  readonly kind: 'answer' | 'picture';
  readonly model: string;
  /** Words of the question, or pixels of a side. */
  readonly size: number;
  readonly rows: readonly [number, number];
}
const CASES: readonly Case[] = [
  { of: "the scenes' small LLaVA", kind: 'answer', model: 'small', size: 100, rows: [8, 64] },
  { of: "Qwen2-0.5B's shape, three blocks", kind: 'answer', model: 'qwen', size: 8, rows: [2, 10] },
  { of: 'the same, a longer question', kind: 'answer', model: 'qwen', size: 250, rows: [2, 10] },
  { of: "B/32's tower, three blocks", kind: 'picture', model: 'b32', size: 224, rows: [8, 64] },
  { of: 'the same at 736 pixels', kind: 'picture', model: 'b32', size: 736, rows: [2, 10] },
];

const [blocks, words] = [3, 20_000];
const scratch = await mkdtemp(join(tmpdir(), 'narrows-rows-'));
try {
  const place = (model: string): string => join(scratch, model);
  await writeSmallLlava(place('small'));
  const { text_config: text } = QWEN_LLAVA;
  await writeQwenLlava(place('qwen'), {
    ...QWEN_LLAVA,
    image_token_index: words - 1,
    text_config: { ...text, num_hidden_layers: blocks, vocab_size: words },
  });
  await writeRandomClip(place('b32'), {
    ...B32,
    vision_config: { ...B32.vision_config, num_hidden_layers: blocks },
    text_config: { ...B32.text_config, num_hidden_layers: 1, vocab_size: 1000 },
  });
  console.log('| of | tokens | MB a row | estimate | ratio |\n|---|---|---|---|---|');
  for (const { of, kind, model, size, rows } of CASES) {
    const peaks: number[] = [];
    for (const count of rows) {
      const out = join(scratch, 'shape.json');
      const child = ['--import', 'tsx', 'bench/evidence/forward-memory-child.ts', kind, place(model), String(size), String(count), out];
      const { memory } = await runNode(child, process.cwd(), true);
      if (!memory) throw new Error('The process ended before its memory could be read.');
      peaks.push(memory.anonymous);
    }
    const { tokens, width, heads, layers, pixels } = JSON.parse(await readFile(join(scratch, 'shape.json'), 'utf8')) as Shape;
    // Pixels of a row are counted by themselves.
    const own = (peaks[1] - peaks[0]) / (rows[1] - rows[0]) - 4 * pixels;
    const estimate = rowBytes({ width, heads }, tokens, layers, false);
    console.log(`| ${of} | ${tokens} | ${(own / 1e6).toFixed(1)} | ${(estimate / 1e6).toFixed(1)} | ${(estimate / own).toFixed(2)} |`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
