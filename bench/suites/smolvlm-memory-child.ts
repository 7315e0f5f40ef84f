/**
 * @file A process whose memory smolvlm-memory.ts watches. usage: smolvlm-memory-child.ts generate|tune DIR OUT.json THREADS
 * It answers a conversation about a picture of thirteen tiles, or tunes by LoRA on it.
 */
import { writeFile } from 'node:fs/promises';
import { generate } from '../../src/generation/generate.ts';
import type { LlavaConfig } from '../../src/models/llava/config.ts';
import { LlavaModel } from '../../src/models/pretrained.ts';
import { tileSide } from '../../src/models/smolvlm/vision.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { loraSteps, randomPixels, randomRow } from './lora-steps.ts';

/** A picture of 4 : 3 by SmolVLM's own rules: 3 × 4 tiles and the whole one. */
const TILES = 13;
const WORDS = 128;
const NEW_TOKENS = 32;

const imageTokens = (config: LlavaConfig): number => TILES * tileSide(config) ** 2;
const row = (config: LlavaConfig) => randomRow(config, 0, imageTokens(config), WORDS);

/** @returns seconds from the prompt to the last token */
async function answer(directory: string): Promise<number[]> {
  await using model = await LlavaModel.fromPretrained(directory, { runtime });
  const { config } = model;
  const from = performance.now();
  const [{ ids }] = await generate(model, [{ ids: row(config).ids, pixelValues: randomPixels(config, TILES) }], {
    maxNewTokens: NEW_TOKENS,
  });
  if (ids.length !== NEW_TOKENS) throw new Error(`The answer has ${ids.length} tokens.`);
  return [(performance.now() - from) / 1000];
}

const tune = (directory: string): Promise<number[]> =>
  loraSteps(runtime, directory, config => ({
    rows: [row(config)],
    pixels: randomPixels(config, TILES),
    images: imageTokens(config),
  }));

const [mode, directory, out, threads] = process.argv.slice(2);
const runtime = nodeRuntime({ threads: Number(threads) });
await writeFile(out, JSON.stringify({ seconds: mode === 'generate' ? await answer(directory) : await tune(directory) }));
