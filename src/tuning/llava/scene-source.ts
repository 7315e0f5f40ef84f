/** @file The small LLaVA of the built-in scenes before it is trained: configuration, files, and the tower of the shipped CLIP. */

import { openCheckpoint, readConfig } from '../../checkpoints/disk.ts';
import { readFloats, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { readImageRules } from '../../inputs/image/image-rules.ts';
import { parseProcessorConfig } from '../../inputs/image/processor-config.ts';
import { findModel } from '../../models/bundled.ts';
import { parseCLIPConfig } from '../../models/clip/config.ts';
import { wantedTensors } from '../../models/clip/files.ts';
import { type LlavaConfig, parseLlavaConfig } from '../../models/llava/config.ts';
import { fittedEntries } from '../../models/load-parts.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { join } from '../../node/paths.ts';
import { CHAT_IMAGE_TOKEN, CHAT_TOKENS, chatTokenizerFiles } from '../../scenes/chat-tokenizer.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';

/** Shape of the small decoder; names as in LlamaConfig. */
export interface SmallDecoder {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  /** By default 10 000. */
  readonly rope_theta?: number;
}

/** About 1.8 million parameters: what two cores can pre-train in half an hour. */
export const SMALL_DECODER: SmallDecoder = {
  hidden_size: 192,
  intermediate_size: 512,
  num_hidden_layers: 4,
  num_attention_heads: 6,
  num_key_value_heads: 2,
};

/**
 * The shape that `decoder-start.ts` can start: each head of three has keys of its own, so that one of them can match without its neighbours. With
 * a theta of 1e6 positions turn most of a head so slowly that a word and a patch 60 tokens apart still match.
 */
export const MATCHING_DECODER: SmallDecoder = { ...SMALL_DECODER, num_attention_heads: 3, num_key_value_heads: 3, rope_theta: 1e6 };

/** Where a small LLaVA starts. */
export interface SceneLlavaSource {
  readonly config: LlavaConfig;
  /** Texts of the files next to weights and config.json, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** The tower's tensors by their names in memory (`model.vision_tower.…`). */
  readonly tower: ReadonlyMap<string, TensorEntry>;
  readonly imageMean: readonly number[];
  readonly imageStd: readonly number[];
}

const TOWER = 'model.vision_tower.';

/**
 * config.json and files of a LLaVA on a CLIP's tower. @param reference the CLIP, for example `scene-clip`
 * @throws NarrowsError where it is no CLIP checkpoint
 */
export async function sceneLlavaSource(reference: string, decoder: SmallDecoder = SMALL_DECODER): Promise<SceneLlavaSource> {
  const { directory } = await findModel(reference);
  const clip = parseCLIPConfig(await readConfig(directory), join(directory, 'config.json'));
  const { vision_config: vision } = clip;
  const { json: preprocessor, file } = await readImageRules(diskFiles(directory), { type: 'CLIPImageProcessor', size: vision.image_size });
  const { image_mean: imageMean, image_std: imageStd } = parseProcessorConfig(preprocessor, { file });
  const { entries } = fittedEntries(clip, (await openCheckpoint(directory)).entries, directory, { wanted: wantedTensors });
  const tower = new Map([...entries].filter(([name]) => name.startsWith('vision_model.')).map(([name, entry]) => [TOWER + name, entry]));
  const patches = (vision.image_size / vision.patch_size) ** 2;
  const config = parseLlavaConfig(
    {
      architectures: ['LlavaForConditionalGeneration'],
      model_type: 'llava',
      dtype: 'float32',
      image_token_index: CHAT_IMAGE_TOKEN,
      image_seq_length: patches,
      projector_hidden_act: 'gelu',
      multimodal_projector_bias: true,
      // The last layer says what a patch shows, but no longer where it is (a linear read-out of its column fails); the first one does.
      vision_feature_layer: [-1, 0],
      vision_feature_select_strategy: 'default',
      // Image tokens learn to say words, so words can find them where both have one table.
      tie_word_embeddings: true,
      vision_config: { ...vision, model_type: 'clip_vision_model' },
      text_config: {
        architectures: ['LlamaForCausalLM'],
        model_type: 'llama',
        ...decoder,
        vocab_size: CHAT_TOKENS.length,
        max_position_embeddings: 1024,
        rms_norm_eps: 1e-6,
        bos_token_id: 1,
        eos_token_id: 3,
        pad_token_id: 0,
        tie_word_embeddings: true,
      },
    },
    'the small LLaVA',
  );
  const processor = {
    processor_class: 'LlavaProcessor',
    patch_size: vision.patch_size,
    vision_feature_select_strategy: 'default',
    image_token: '<image>',
    num_additional_image_tokens: 1,
  };
  const files = { ...chatTokenizerFiles(), 'preprocessor_config.json': preprocessor, 'processor_config.json': processor };
  const generation = { bos_token_id: 1, eos_token_id: 3, pad_token_id: 0 };
  const texts = Object.entries({ ...files, 'generation_config.json': generation }).map(
    ([name, value]) => [name, typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`] as const,
  );
  return { config, files: new Map(texts), tower, imageMean, imageStd };
}

/** Tensors of entries, as float32. */
export async function readTensors(entries: ReadonlyMap<string, TensorEntry>): Promise<[string, FloatTensor][]> {
  const out: [string, FloatTensor][] = [];
  for (const [name, entry] of entries) out.push([name, floats(entry.shape, await readFloats(entry))]);
  return out;
}
