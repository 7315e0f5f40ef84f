/** @file Checkpoints of real size, whose weights are holes in a file: what is refused, what is read, what is mapped. */
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../generation/generate.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { NarrowsError } from '../../system/errors.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { LlavaModel } from '../pretrained.ts';
import { parseLlavaConfig } from './config.ts';
import { wantedTensors } from './files.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-lazy-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Writes a checkpoint whose header is whole and whose weights take no room on the disk. */
async function writeHollow(name: string, config: object, type: 'F16' | 'F32'): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  const header: Record<string, object> = {};
  let at = 0;
  for (const [tensor, { shape }] of wantedTensors(parseLlavaConfig(config))) {
    const end = at + sizeOf(shape as number[]) * (type === 'F16' ? 2 : 4);
    header[tensor] = { dtype: type, shape, data_offsets: [at, end] };
    at = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = await open(join(directory, 'model.safetensors'), 'w');
  await file.write(Buffer.concat([length, padded]));
  await file.truncate(8 + padded.length + at);
  await file.close();
  return directory;
}

/** The towers and decoders of the published checkpoints. */
const FAMILIES = {
  'llava-1.5-7b (Vicuna)': { text: { model_type: 'llama', vocab_size: 32064, rms_norm_eps: 1e-5 }, token: 32000, gigabytes: 28.2 },
  'LLaVA of Qwen2-7B': {
    text: {
      model_type: 'qwen2',
      vocab_size: 152064,
      hidden_size: 3584,
      intermediate_size: 18944,
      num_hidden_layers: 28,
      num_attention_heads: 28,
      num_key_value_heads: 4,
      rope_theta: 1e6,
    },
    token: 151646,
    gigabytes: 31.7,
  },
  'LLaVA++ of Llama-3-8B': {
    text: { model_type: 'llama', vocab_size: 128320, intermediate_size: 14336, num_key_value_heads: 8, rope_theta: 5e5 },
    token: 128256,
    gigabytes: 33.4,
  },
};

const counter = async (file: string, name: string): Promise<number> =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(await readFile(`/proc/self/${file}`, 'utf8'))?.[1]);

describe.each(Object.entries(FAMILIES))('%s', (name, { text, token, gigabytes }) => {
  it.runIf(process.platform === 'linux')('is refused by its header, and opens without a weight being read', async () => {
    const directory = await writeHollow(name, { model_type: 'llava', image_token_index: token, text_config: text }, 'F16');
    const read = await counter('io', 'rchar');
    const refused = LlavaModel.fromPretrained(directory, { availableMemory: 16e9 });
    await expect(refused).rejects.toThrow(NarrowsError);
    const weights = `weights as float32 take ${gigabytes.toFixed(1)} GB`;
    const missing = `16.0 GB are free: ${(gigabytes + 0.3 - 16).toFixed(1)} GB are missing`;
    await expect(refused).rejects.toThrow(
      new RegExp(`needs ${(gigabytes + 0.3).toFixed(1)} GB of memory \\(its ${weights}\\), but ${missing}`),
    );
    const { rss } = process.memoryUsage();
    await using model = await LlavaModel.fromPretrained(directory, { availableMemory: Number.POSITIVE_INFINITY });
    expect(model.parts.prepack).toBe(false);
    expect((await counter('io', 'rchar')) - read).toBeLessThan(2e6);
    expect(process.memoryUsage().rss - rss).toBeLessThan(100e6);
  });
});

it.runIf(process.platform === 'linux')(
  'float32 weights are mapped: 1.1 GB answer within a few hundred MB of memory of the process itself',
  async () => {
    const vision = {
      model_type: 'clip_vision_model',
      hidden_size: 32,
      intermediate_size: 32,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      image_size: 28,
    };
    const decoder = {
      model_type: 'llama',
      vocab_size: 128320,
      hidden_size: 1024,
      intermediate_size: 1024,
      num_hidden_layers: 1,
      num_attention_heads: 8,
    };
    const config = { model_type: 'llava', image_token_index: 128256, vision_config: { ...vision, patch_size: 14 }, text_config: decoder };
    const directory = await writeHollow('mapped', config, 'F32');
    const before = await counter('status', 'RssAnon');
    await using model = await LlavaModel.fromPretrained(directory, { runtime: nodeRuntime({ threads: 1 }) });
    const [answer] = await generate(model, [{ ids: [1, 2, 3] }], { maxNewTokens: 2 });
    expect(answer.ids).toEqual([0, 0]);
    expect(((await counter('status', 'RssAnon')) - before) * 1024).toBeLessThan(300e6);
  },
);
