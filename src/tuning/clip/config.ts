/** @file config.json and preprocessor_config.json of a CLIP that starts from scratch. */
import { type CLIPConfig, parseCLIPConfig } from '../../models/clip/config.ts';
import { SPECIAL_TOKENS, VOCABULARY_SIZE } from '../../scenes/vocabulary.ts';
import type { ClipTrainingArguments } from './arguments.ts';

/** Keys of text_config that the tokenizer decides. */
export interface TextKeys {
  readonly vocab_size: number;
  readonly bos_token_id: number | null;
  readonly eos_token_id: number;
  readonly pad_token_id: number | null;
}

const id = (token: (typeof SPECIAL_TOKENS)[number]): number => SPECIAL_TOKENS.indexOf(token);

/** Those of the scene tokenizer, and of word tokenizers in general with another `vocab_size`. */
export const WORD_KEYS: TextKeys = {
  vocab_size: VOCABULARY_SIZE,
  bos_token_id: id('<bos>'),
  eos_token_id: id('<eos>'),
  pad_token_id: id('<pad>'),
};

/** config.json of the model that the arguments describe. @throws NarrowsError for a shape that cannot be */
export function freshConfig(args: ClipTrainingArguments, text: TextKeys): CLIPConfig {
  const tower = (width: number, layers: number) => ({
    hidden_size: width,
    intermediate_size: 4 * width,
    num_hidden_layers: layers,
    num_attention_heads: Math.max(1, Math.round(width / args.head_dim)),
    hidden_act: args.hidden_act,
    projection_dim: args.projection_dim,
    layer_norm_eps: 1e-5,
    attention_dropout: 0,
  });
  return parseCLIPConfig(
    {
      architectures: ['CLIPModel'],
      model_type: 'clip',
      dtype: 'float32',
      projection_dim: args.projection_dim,
      logit_scale_init_value: Math.log(10),
      text_config: {
        model_type: 'clip_text_model',
        ...tower(args.text_hidden_size, args.text_num_hidden_layers),
        max_position_embeddings: args.max_seq_length,
        ...text,
      },
      vision_config: {
        model_type: 'clip_vision_model',
        ...tower(args.vision_hidden_size, args.vision_num_hidden_layers),
        image_size: args.image_size,
        patch_size: args.patch_size,
        num_channels: 3,
      },
    },
    'the training arguments',
  );
}

/** preprocessor_config.json for a square image size. Pixel statistics are those of the scenes, near enough to any photographs'. */
export const freshPreprocessor = (size: number) => ({
  image_processor_type: 'CLIPImageProcessor',
  crop_size: { height: size, width: size },
  do_center_crop: true,
  do_convert_rgb: true,
  do_normalize: true,
  do_rescale: true,
  do_resize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.27, 0.27, 0.27],
  resample: 3,
  rescale_factor: 1 / 255,
  size: { shortest_edge: size },
});
