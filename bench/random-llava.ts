/** @file Writes LLaVAs of random weights in Hugging Face's format: the scenes' small one, one with a decoder of Qwen2-0.5B's shape, SmolVLM-256M's. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type LlavaConfig, parseLlavaConfig } from '../src/models/llava/config.ts';
import { familyOf } from '../src/models/llava/families.ts';
import { wantedTensors } from '../src/models/llava/files.ts';
import { storedName } from '../src/models/llava/layout.ts';
import { writeFileAtomic } from '../src/node/files.ts';
import { RandomStream } from '../src/tensor/random.ts';
import { sizeOf } from '../src/tensor/tensor.ts';
import { sceneLlavaSource } from '../src/tuning/llava/scene-source.ts';
import { clipPreprocessor, streamSafetensors } from './random-clip.ts';

/** Qwen2-0.5B's decoder (values from its config.json) under a small CLIP tower whose images take 256 tokens. */
export const QWEN_LLAVA: LlavaConfig = parseLlavaConfig(
  {
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    dtype: 'float32',
    image_token_index: 151646,
    image_seq_length: 256,
    vision_feature_layer: -2,
    tie_word_embeddings: true,
    vision_config: {
      model_type: 'clip_vision_model',
      hidden_size: 256,
      intermediate_size: 1024,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      image_size: 224,
      patch_size: 14,
      num_channels: 3,
      hidden_act: 'quick_gelu',
      layer_norm_eps: 1e-5,
      projection_dim: 256,
    },
    text_config: {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      hidden_size: 896,
      intermediate_size: 4864,
      num_hidden_layers: 24,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      vocab_size: 151936,
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-6,
      rope_theta: 1e6,
      bos_token_id: 151643,
      eos_token_id: 151643,
      tie_word_embeddings: true,
    },
  },
  'bench/random-llava.ts',
);

/** Matrices N(0, 0.02²), gains one, biases zero; one stream per tensor. */
function fill(name: string, shape: readonly number[]): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  if (shape.length < 2 && !name.endsWith('class_embedding')) return name.endsWith('.weight') ? data.fill(1) : data;
  new RandomStream(0, `bench.${name}`).normals(0, 0, data);
  for (let i = 0; i < data.length; i++) data[i] *= 0.02;
  return data;
}

/** Writes `directory`: weights, the files given, and config.json last. @param json of it, where it is not what was read from it */
async function write(directory: string, config: LlavaConfig, files: ReadonlyMap<string, string>, json: object = config): Promise<void> {
  await mkdir(directory, { recursive: true });
  const stored = (name: string): string => storedName(name, 'new', familyOf(config)?.naming);
  const shapes = new Map([...wantedTensors(config)].map(([name, { shape }]) => [stored(name), shape as readonly number[]]));
  await streamSafetensors(join(directory, 'model.safetensors'), shapes, fill);
  for (const [file, text] of files) await writeFileAtomic(join(directory, file), text);
  await writeFileAtomic(join(directory, 'config.json'), `${JSON.stringify(json, null, 2)}\n`);
}

/** The shape that `narrows experiment vittle-scenes` trains: SMALL_DECODER under the shipped CLIP's tower. */
export async function writeSmallLlava(directory: string): Promise<LlavaConfig> {
  const { config, files } = await sceneLlavaSource('scene-clip');
  await write(directory, config, files);
  return config;
}

/** `QWEN_LLAVA`, 2 GB, or one that was made smaller; there is no tokenizer. */
export async function writeQwenLlava(directory: string, config: LlavaConfig = QWEN_LLAVA): Promise<void> {
  const preprocessor = `${JSON.stringify(clipPreprocessor(config.vision_config.image_size), null, 2)}\n`;
  await write(directory, config, new Map([['preprocessor_config.json', preprocessor]]));
}

/** SmolVLM-256M's shape (values from its config.json), in Idefics3's terms as the public checkpoint is. */
const SMOLVLM = {
  architectures: ['Idefics3ForConditionalGeneration'],
  model_type: 'idefics3',
  dtype: 'float32',
  image_token_id: 49190,
  scale_factor: 4,
  tie_word_embeddings: false,
  vision_config: {
    model_type: 'idefics3',
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    image_size: 512,
    patch_size: 16,
  },
  text_config: {
    model_type: 'llama',
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    head_dim: 64,
    vocab_size: 49280,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    tie_word_embeddings: false,
  },
};

/** `SMOLVLM`, 1 GB; there is no tokenizer. */
export async function writeSmolVlm(directory: string): Promise<void> {
  const rules = { image_processor_type: 'Idefics3ImageProcessor', size: { longest_edge: 2048 }, max_image_size: { longest_edge: 512 } };
  await write(
    directory,
    parseLlavaConfig(SMOLVLM),
    new Map([['preprocessor_config.json', `${JSON.stringify(rules, null, 2)}\n`]]),
    SMOLVLM,
  );
}
