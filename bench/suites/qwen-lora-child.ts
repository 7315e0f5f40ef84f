/**
 * @file A process whose memory qwen-lora.ts watches. usage: qwen-lora-child.ts generate|tune|recompute DIR OUT.json THREADS
 * It tunes a LLaVA by LoRA (two steps), or answers one conversation.
 */
import { writeFile } from 'node:fs/promises';
import { generate } from '../../src/generation/generate.ts';
import { imageTokens } from '../../src/models/llava/config.ts';
import { LlavaModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { loraSteps, randomPixels, randomRow } from './lora-steps.ts';

const BATCH = 2;
const LENGTH = 512;
const PROMPT_WORDS = 16;
const NEW_TOKENS = 64;

const tune = (directory: string, recompute: boolean): Promise<number[]> =>
  loraSteps(
    runtime,
    directory,
    config => {
      const image = imageTokens(config);
      const rows = Array.from({ length: BATCH }, (_, b) => randomRow(config, b, image, LENGTH - image));
      return { rows, pixels: randomPixels(config, BATCH), images: BATCH };
    },
    recompute,
  );

/** @returns seconds from the prompt to the last token */
async function answer(directory: string): Promise<number[]> {
  await using model = await LlavaModel.fromPretrained(directory, { runtime });
  const { config } = model;
  const prompt = { ids: randomRow(config, 0, imageTokens(config), PROMPT_WORDS).ids, pixelValues: randomPixels(config, 1) };
  const from = performance.now();
  const [{ ids }] = await generate(model, [prompt], { maxNewTokens: NEW_TOKENS });
  if (ids.length !== NEW_TOKENS) throw new Error(`The answer has ${ids.length} tokens.`);
  return [(performance.now() - from) / 1000];
}

const [mode, directory, out, threads] = process.argv.slice(2);
const runtime = nodeRuntime({ threads: Number(threads) });
const seconds = mode === 'generate' ? await answer(directory) : await tune(directory, mode === 'recompute');
await writeFile(out, JSON.stringify({ seconds }));
