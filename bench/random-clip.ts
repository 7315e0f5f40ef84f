/** @file Writes a random CLIP in Hugging Face's format, tensor by tensor, so that 600 MB never stand in memory (peers/make_b32.py's twin). */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CLIPConfig, parseCLIPConfig } from '../src/models/clip/config.ts';
import { wantedTensors } from '../src/models/clip/files.ts';
import { writeFileAtomic } from '../src/node/files.ts';
import { RandomStream } from '../src/tensor/random.ts';
import { sizeOf } from '../src/tensor/tensor.ts';

/** The shape of openai/clip-vit-base-patch32, config values from its config.json. */
export const B32: CLIPConfig = parseCLIPConfig(
  {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    dtype: 'float32',
    projection_dim: 512,
    logit_scale_init_value: 2.6592,
    text_config: {
      model_type: 'clip_text_model',
      vocab_size: 49408,
      hidden_size: 512,
      intermediate_size: 2048,
      num_hidden_layers: 12,
      num_attention_heads: 8,
      max_position_embeddings: 77,
      hidden_act: 'quick_gelu',
      layer_norm_eps: 1e-5,
      projection_dim: 512,
      bos_token_id: 0,
      pad_token_id: 1,
      eos_token_id: 2,
    },
    vision_config: {
      model_type: 'clip_vision_model',
      hidden_size: 768,
      intermediate_size: 3072,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      image_size: 224,
      patch_size: 32,
      num_channels: 3,
      hidden_act: 'quick_gelu',
      layer_norm_eps: 1e-5,
      projection_dim: 512,
    },
  },
  'bench/random-clip.ts',
);

/** preprocessor_config.json of a CLIP tower. */
export const clipPreprocessor = (size: number) => ({
  image_processor_type: 'CLIPImageProcessor',
  do_resize: true,
  size: { shortest_edge: size },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: size, width: size },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  do_convert_rgb: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
});

/** Matrices N(0, 0.02²), gains one, biases zero; one stream per tensor. */
function fill(name: string, shape: readonly number[], config: CLIPConfig, seed: number): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  if (name === 'logit_scale') return data.fill(config.logit_scale_init_value);
  if (shape.length < 2 && !name.endsWith('class_embedding')) return name.endsWith('.weight') ? data.fill(1) : data;
  new RandomStream(seed, `bench.${name}`).normals(0, 0, data);
  for (let i = 0; i < data.length; i++) data[i] *= 0.02;
  return data;
}

/**
 * Writes float32 tensors to a safetensors file one after another: each is made when its turn comes, so that one alone stands in memory.
 * @param fill values of a tensor
 */
export async function streamSafetensors(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  fill: (name: string, shape: readonly number[]) => Float32Array,
): Promise<void> {
  const tensors = [...shapes].sort(([a], [b]) => (a < b ? -1 : 1));
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, shape] of tensors) {
    const end = at + 4 * sizeOf(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, end] };
    at = end;
  }
  const json = JSON.stringify(header);
  const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  function* pieces(): Generator<Uint8Array> {
    yield length;
    yield padded;
    for (const [name, shape] of tensors) yield new Uint8Array(fill(name, shape).buffer);
  }
  await writeFileAtomic(path, pieces());
}

/** Writes `directory`: model.safetensors, preprocessor_config.json, and config.json last. There is no tokenizer. */
export async function writeRandomClip(directory: string, config: CLIPConfig, seed = 0): Promise<void> {
  await mkdir(directory, { recursive: true });
  const shapes = new Map([...wantedTensors(config)].map(([name, { shape }]) => [name, shape as readonly number[]]));
  await streamSafetensors(join(directory, 'model.safetensors'), shapes, (name, shape) => fill(name, shape, config, seed));
  const save = (file: string, value: object): Promise<void> =>
    writeFileAtomic(join(directory, file), `${JSON.stringify(value, null, 2)}\n`);
  await save('preprocessor_config.json', clipPreprocessor(config.vision_config.image_size));
  await save('config.json', config);
}
