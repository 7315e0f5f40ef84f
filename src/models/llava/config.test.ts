import { describe, expect, it } from 'vitest';
import { ropeFrequencies } from '../../nn/rope.ts';
import { NarrowsError } from '../../system/errors.ts';
import { expectClose } from '../../testing/close.ts';
import { featureLayers, imageTokens, parseLlavaConfig } from './config.ts';
import { nameInMemory, storedName } from './layout.ts';
import { decoderConfig } from './text-config.ts';

const LLAMA = { model_type: 'llama', vocab_size: 32064 };
const parse = (json: object) => parseLlavaConfig({ model_type: 'llava', text_config: LLAMA, ...json }, 'c.json');

describe('parseLlavaConfig', () => {
  it("fills in transformers' defaults: LLaVA-1.5-7B from the little that its config.json names", () => {
    const config = parse({
      image_token_index: 32000,
      text_config: {
        _name_or_path: 'lmsys/vicuna-7b-v1.5',
        max_position_embeddings: 4096,
        model_type: 'llama',
        rms_norm_eps: 1e-5,
        vocab_size: 32064,
      },
      vision_config: {
        hidden_size: 1024,
        image_size: 336,
        intermediate_size: 4096,
        model_type: 'clip_vision_model',
        num_attention_heads: 16,
        num_hidden_layers: 24,
        patch_size: 14,
        projection_dim: 768,
      },
    });
    expect(decoderConfig(config)).toMatchObject({
      hidden_size: 4096,
      intermediate_size: 11008,
      num_hidden_layers: 32,
      num_key_value_heads: 32,
      head_dim: 128,
      tie_word_embeddings: false,
      rope_theta: 10000,
      scaling: { rope_type: 'default' },
      biases: { qkv: false, output: false, mlp: false },
    });
    expect(imageTokens(config)).toBe(576);
    expect(featureLayers(config)).toEqual([23]);
    expect(config.vision_config).toMatchObject({ hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 });
    expect(config.text_config._name_or_path).toBe('lmsys/vicuna-7b-v1.5');
  });

  it('takes CLIP ViT-L/14 at 336 pixels and Llama 7B where nothing is named, and image_token_id for image_token_index', () => {
    const config = parse({ image_token_id: 5 });
    expect(config.image_token_index).toBe(5);
    expect(config.vision_config).toMatchObject({ model_type: 'clip_vision_model', hidden_size: 1024, image_size: 336, patch_size: 14 });
    expect(parse({ vision_config: { image_size: 32 } }).vision_config).toMatchObject({ hidden_size: 768, image_size: 32 });
  });

  it('gives Qwen2 its biases, SigLIP all its patches, and reads the newer rope_parameters', () => {
    const config = parse({
      text_config: {
        model_type: 'qwen2',
        hidden_size: 896,
        num_attention_heads: 14,
        num_key_value_heads: 2,
        tie_word_embeddings: true,
        rope_parameters: { rope_type: 'linear', factor: 4, rope_theta: 1e6 },
      },
      vision_config: {
        model_type: 'siglip_vision_model',
        image_size: 384,
        patch_size: 14,
        hidden_size: 1152,
        num_attention_heads: 16,
        vision_use_head: false,
      },
      vision_feature_select_strategy: 'full',
      vision_feature_layer: [-1, 3],
    });
    expect(decoderConfig(config)).toMatchObject({
      head_dim: 64,
      tie_word_embeddings: true,
      rope_theta: 1e6,
      scaling: { rope_type: 'linear', factor: 4 },
      biases: { qkv: true, output: false, mlp: false },
    });
    expect(imageTokens(config)).toBe(729);
    expect(featureLayers(config)).toEqual([12, 3]);
  });

  it.each<[object, RegExp]>([
    [{ model_type: 'llava_llama' }, /c\.json is of model_type "llava_llama", not "llava"/],
    [{ text_config: { model_type: 'gemma' } }, /text_config.model_type is "gemma"; Narrows runs/],
    [{ vision_config: { model_type: 'pixtral' } }, /vision_config.model_type is "pixtral"/],
    [{ vision_config: { hidden_act: 'swish7' } }, /the key "vision_config.hidden_act" is wrong/],
    [
      { text_config: { ...LLAMA, rope_scaling: { type: 'dynamic', factor: 2 } } },
      /rope_scaling is of type "dynamic", which Narrows does not run/,
    ],
    [
      { text_config: { ...LLAMA, rope_scaling: { rope_type: 'llama3', factor: 2 } } },
      /the key "text_config.rope_scaling.low_freq_factor" is wrong/,
    ],
    [{ text_config: { ...LLAMA, num_attention_heads: 33 } }, /hidden_size 4096 is not a multiple of num_attention_heads 33/],
    [{ text_config: { ...LLAMA, num_key_value_heads: 5 } }, /num_attention_heads 32 is not a multiple of num_key_value_heads 5/],
    [{ text_config: { ...LLAMA, head_dim: 5 } }, /a head of the decoder is 5 wide/],
    [{ text_config: { model_type: 'qwen2', use_sliding_window: true } }, /use_sliding_window is true/],
    [
      { text_config: { ...LLAMA, vocab_size: 100 } },
      /image_token_index is not named, and its default 32000, which lies outside of the vocabulary of 100/,
    ],
    [{ image_token_index: 40000 }, /image_token_index is 40000, which lies outside of the vocabulary of 32064/],
    [{ vision_feature_layer: -26 }, /vision_feature_layer -26 lies outside of the 25 hidden states/],
    [{ vision_feature_layer: [] }, /the key "vision_feature_layer" is wrong/],
    [{ vision_feature_select_strategy: 'cls' }, /the key "vision_feature_select_strategy" is wrong/],
  ])('refuses %j in one sentence', (json, message) => {
    expect(() => parse(json)).toThrow(NarrowsError);
    expect(() => parse(json)).toThrow(message);
  });
});

describe('ropeFrequencies', () => {
  it('divides long waves, keeps short ones and blends between (Llama 3.1: factor 8, 8192 tokens)', () => {
    const scaling = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    } as const;
    const plain = ropeFrequencies(128, 500000);
    const scaled = ropeFrequencies(128, 500000, scaling);
    const ratios = Array.from(plain, (f, i) => f / scaled[i]);
    expectClose([ratios[0], ratios[28], ratios[63]], [1, 1, 8]);
    // Wavelength 2π/f within (2048, 8192): between the two.
    const between = ratios.filter((_, i) => 2 * Math.PI > 2048 * plain[i] && 2 * Math.PI < 8192 * plain[i]);
    expect(between.length).toBeGreaterThan(3);
    for (const r of between) expect(r > 1 && r < 8).toBe(true);
    expectClose(ropeFrequencies(4, 100, { rope_type: 'linear', factor: 2 }), [0.5, 0.05]);
  });
});

describe('names', () => {
  it('of old files and of memory are the same tensors, both ways', () => {
    const pairs = [
      ['language_model.model.layers.0.mlp.up_proj.weight', 'model.language_model.layers.0.mlp.up_proj.weight'],
      ['language_model.lm_head.weight', 'lm_head.weight'],
      ['vision_tower.vision_model.pre_layrnorm.bias', 'model.vision_tower.vision_model.pre_layrnorm.bias'],
      ['multi_modal_projector.linear_1.bias', 'model.multi_modal_projector.linear_1.bias'],
    ];
    for (const [old, memory] of pairs) {
      expect(nameInMemory(old)).toBe(memory);
      expect(nameInMemory(memory)).toBe(memory);
      expect(storedName(memory, 'old')).toBe(old);
      expect(storedName(memory, 'new')).toBe(memory);
    }
  });
});
