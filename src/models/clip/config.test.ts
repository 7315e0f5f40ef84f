import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { parseCLIPConfig } from './config.ts';

describe('parseCLIPConfig', () => {
  it("fills in transformers' defaults", () => {
    // CLIPTextConfig() and CLIPVisionConfig() of transformers 4.57: openai/clip-vit-base-patch32.
    expect(parseCLIPConfig({ model_type: 'clip' })).toEqual({
      model_type: 'clip',
      projection_dim: 512,
      logit_scale_init_value: 2.6592,
      text_config: {
        vocab_size: 49408,
        hidden_size: 512,
        intermediate_size: 2048,
        num_hidden_layers: 12,
        num_attention_heads: 8,
        max_position_embeddings: 77,
        hidden_act: 'quick_gelu',
        layer_norm_eps: 1e-5,
        pad_token_id: 1,
        bos_token_id: 49406,
        eos_token_id: 49407,
      },
      vision_config: {
        hidden_size: 768,
        intermediate_size: 3072,
        num_hidden_layers: 12,
        num_attention_heads: 12,
        num_channels: 3,
        image_size: 224,
        patch_size: 32,
        hidden_act: 'quick_gelu',
        layer_norm_eps: 1e-5,
      },
    });
  });

  it('keeps keys that it does not know', () => {
    const config = parseCLIPConfig({ model_type: 'clip', dtype: 'float16', vision_config: { dropout: 0.1 } });
    expect(config).toMatchObject({ dtype: 'float16', vision_config: { dropout: 0.1 } });
  });

  it.each<[object, RegExp]>([
    [{ model_type: 'siglip' }, /c\.json: the key "model_type" is wrong/],
    [{}, /the key "model_type" is wrong/],
    [{ model_type: 'clip', projection_dim: 0 }, /the key "projection_dim" is wrong/],
    [{ model_type: 'clip', text_config: { num_hidden_layers: 1.5 } }, /the key "text_config.num_hidden_layers" is wrong/],
    [{ model_type: 'clip', vision_config: { hidden_act: 'swish7' } }, /the key "vision_config.hidden_act" is wrong/],
    [{ model_type: 'clip', vision_config: { image_size: '224' } }, /the key "vision_config.image_size" is wrong/],
    [{ model_type: 'clip', vision_config: { image_size: [224, 224] } }, /the key "vision_config.image_size" is wrong/],
    [
      { model_type: 'clip', text_config: { hidden_size: 10, num_attention_heads: 4 } },
      /text_config.hidden_size 10 is not a multiple of num_attention_heads 4/,
    ],
    [{ model_type: 'clip', vision_config: { image_size: 16, patch_size: 32 } }, /image_size 16 is smaller than patch_size 32/],
  ])('refuses %j', (json, message) => {
    const parse = (): unknown => parseCLIPConfig(json, 'c.json');
    expect(parse).toThrow(NarrowsError);
    expect(parse).toThrow(message);
  });
});
