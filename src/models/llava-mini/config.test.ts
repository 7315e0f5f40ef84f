import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { NarrowsError } from '../../system/errors.ts';
import { expectClose } from '../../testing/close.ts';
import { decoderConfig } from '../llava/text-config.ts';
import { LlavaMiniModel } from '../pretrained.ts';
import { sinePositions } from './compression.ts';
import { compressedTokens, compressorWidth, parseLlavaMiniConfig, visionGrid } from './config.ts';
import { miniNameInMemory } from './files.ts';

/** What the published checkpoint's kind of config says at least (Llama-3.1-8B's numbers). */
const FLAT = {
  model_type: 'llava_mini_llama',
  vocab_size: 128256,
  hidden_size: 4096,
  intermediate_size: 14336,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  rope_scaling: { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192, rope_type: 'llama3' },
  compressor_size: 1,
  prefusion_layer_num: 4,
  mm_vision_tower: 'openai/clip-vit-large-patch14-336',
  mm_vision_select_layer: -2,
  mm_vision_select_feature: 'patch',
  mm_projector_type: 'mlp2x_gelu',
};
const NESTED = {
  model_type: 'llava_mini',
  text_config: { vocab_size: 40000, hidden_size: 64, num_attention_heads: 4 },
  vision_config: { model_type: 'clip_vision_model', hidden_size: 16, num_attention_heads: 2, image_size: 12, patch_size: 3 },
};
const tiny = fileURLToPath(new URL('testdata/checkpoint-llama3', import.meta.url));

describe('parseLlavaMiniConfig', () => {
  it("reads the published checkpoint's flat config", () => {
    const config = parseLlavaMiniConfig(FLAT);
    expect(config).toMatchObject({ compressor_size: 1, prefusion_layer_num: 4, llava_mini_form: 'checkpoint', image_token_index: -200 });
    expect([visionGrid(config), compressedTokens(config), compressorWidth(config)]).toEqual([24, 1, 1024]);
    expect(decoderConfig(config)).toMatchObject({ num_hidden_layers: 32, num_key_value_heads: 8, head_dim: 128, rope_theta: 500000 });
    expect(config.vision_config).toMatchObject({ hidden_size: 1024, num_hidden_layers: 24, hidden_act: 'quick_gelu' });
  });

  it("gives a nested config the paper's form and numbers", () => {
    const config = parseLlavaMiniConfig(NESTED);
    expect(config).toMatchObject({ compressor_size: 1, prefusion_layer_num: 4, llava_mini_form: 'paper' });
    expect([visionGrid(config), compressorWidth(config)]).toEqual([4, 64]);
  });

  it.each([
    ['another kind', { ...NESTED, model_type: 'llava' }, 'c.json is of model_type "llava", not "llava_mini" or "llava_mini_llama".'],
    ['no size', { ...NESTED, compressor_size: 0 }, 'c.json: the key "compressor_size" is wrong'],
    ['no square', { ...NESTED, vision_feature_select_strategy: 'full' }, 'c.json: an image gives 17 vision tokens, which fill no square'],
    [
      'an uneven width',
      { ...NESTED, text_config: { vocab_size: 40000, hidden_size: 66, num_attention_heads: 3 } },
      'c.json: LLaVA-Mini compresses tokens of width 66, which is no multiple of 4.',
    ],
    ['an unknown tower', { ...FLAT, mm_vision_tower: 'some/tower' }, 'c.json: mm_vision_tower is "some/tower"; Narrows runs'],
    ['image parts', { ...FLAT, resolution_ratio: 2 }, 'c.json: resolution_ratio is 2; Narrows runs a LLaVA-Mini with a ratio of 1'],
    ['another projector', { ...FLAT, mm_projector_type: 'linear' }, 'c.json: mm_projector_type is "linear"'],
  ])('refuses %s', (_, json, sentence) => {
    expect(() => parseLlavaMiniConfig(json, 'c.json')).toThrow(NarrowsError);
    expect(() => parseLlavaMiniConfig(json, 'c.json')).toThrow(sentence);
  });
});

describe('the published names', () => {
  it.each([
    ['model.embed_tokens.weight', 'model.language_model.embed_tokens.weight'],
    ['model.layers.3.mlp.up_proj.weight', 'model.language_model.layers.3.mlp.up_proj.weight'],
    ['model.norm.weight', 'model.language_model.norm.weight'],
    ['model.mm_projector.2.bias', 'model.multi_modal_projector.linear_2.bias'],
    ['model.vision_tower.vision_tower.vision_model.pre_layrnorm.weight', 'model.vision_tower.vision_model.pre_layrnorm.weight'],
    ['model.prefusion_layers.0.self_attn.q_proj.weight', 'model.prefusion_layers.0.self_attn.q_proj.weight'],
    ['model.compressor.attn.in_proj_weight', 'model.compressor.attn.in_proj_weight'],
    ['lm_head.weight', 'lm_head.weight'],
  ])('%s', (stored, inMemory) => {
    expect(miniNameInMemory(stored)).toBe(inMemory);
  });

  it("starts from this project's table of positions", async () => {
    const { tensors } = await openSafetensors(`${tiny}/model.safetensors`);
    expectClose(await readFloats(tensors.get('model.compressor.pos_embed')!), sinePositions(2, 16), { rtol: 1e-6, atol: 1e-7 });
  });
});

describe('LlavaMiniModel.fromPretrained', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'llava-mini-'));
    await writeFile(join(directory, 'config.json'), await readFile(`${tiny}/config.json`));
  });
  afterAll(() => rm(directory, { recursive: true }));

  /** The tiny checkpoint with names changed. */
  async function renamed(rename: (name: string) => string): Promise<void> {
    const bytes = await readFile(`${tiny}/model.safetensors`);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
    const json = Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(header).map(([name, v]) => [rename(name), v]))));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(json.length));
    await writeFile(join(directory, 'model.safetensors'), Buffer.concat([size, json, bytes.subarray(8 + length)]));
  }

  it('says that the vision tower is missing', async () => {
    await renamed(name => name.replace('model.vision_tower.', 'elsewhere.'));
    await expect(LlavaMiniModel.fromPretrained(directory)).rejects.toThrow(/has no vision tower; write the tensors/);
  });

  it('says which tensors are missing', async () => {
    await renamed(name => name.replace('compressor.ln_q', 'compressor.other'));
    await expect(LlavaMiniModel.fromPretrained(directory)).rejects.toThrow(/lacks 2 tensors \(model\.compressor\.ln_q/);
  });
});
