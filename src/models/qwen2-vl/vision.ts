/**
 * @file Qwen2-VL's and Qwen2.5-VL's tower and merger: patches of a picture in one row, rotary positions by row and column, attention within a
 * picture or (2.5) a window of it. transformers sorts patches by windows; here each window's patches are gathered, which gives the same.
 */

import { type Dim, dimTerms } from '../../graph/dims.ts';
import {
  ACTIVATIONS,
  add,
  addDims,
  cast,
  concat,
  constant,
  cos,
  equal,
  gather,
  input,
  layerNorm,
  matmul,
  mul,
  mulDims,
  reshape,
  rmsNorm,
  rotary,
  scope,
  sin,
  slice,
  softmax,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.ts';
import { LOWEST, project } from '../../nn/attention.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { ropeFrequencies } from '../../nn/rope.ts';
import { floats } from '../../tensor/tensor.ts';
import type { LlavaConfig } from '../llava/config.ts';
import type { PictureCuts } from '../llava/family.ts';
import type { QwenVisionConfig } from './config.ts';

/** Inputs of the tower besides pixels: row and column of each patch [P, 2], and its picture [P]. */
export const [PLACES, PICTURES] = ['patch_places', 'patch_pictures'];
/** Inputs of windows (2.5): their patches [W, S], any one where there are fewer than S; which are theirs [W, S], 1 or 0; each patch's place among W·S [P]. */
export const [WINDOW_PATCHES, WINDOW_SHOWN, WINDOW_PLACES] = ['window_patches', 'window_shown', 'window_places'];

/** Tokens of all pictures, by name; each is made of `spatial_merge_size`² patches. */
const MERGED = 'merged';

/** How many patches there are, by name. */
export const patchCount = ({ spatial_merge_size: edge }: QwenVisionConfig): Dim => mulDims([edge ** 2, MERGED]);

/** A dimension divided by a number that goes into it. */
const divided = (dim: Dim, by: number): Dim =>
  addDims([...dimTerms(dim)].map(([names, count]) => mulDims([count / by, ...(names === '' ? [] : names.split('*'))])));

/** The tower's part of a config of this family. */
export const qwenVision = (config: LlavaConfig): QwenVisionConfig => config.vision_config as QwenVisionConfig;

const norm = (p: Parameters, name: string, x: Value, { model_type: type, hidden_size: width }: QwenVisionConfig): Value =>
  scope(name, () => {
    const weight = p.get(`${name}.weight`, [width]);
    return type === 'qwen2_vl' ? layerNorm(x, weight, p.get(`${name}.bias`, [width]), 1e-6) : rmsNorm(x, weight, 1e-6);
  });

/** Cosines and sines of the patches, [P, 1, D]: a quarter of a head's frequencies for rows, one for columns, both twice over. */
function patchRope(config: QwenVisionConfig, patches: Dim): { cos: Value; sin: Value } {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const frequencies = ropeFrequencies(width / heads / 2, 10000);
  const places = cast(input(PLACES, [patches, 2], 'int32'), 'float32');
  const angles = reshape(mul(unsqueeze(places, -1), constant(floats([1, 1, frequencies.length], frequencies))), [
    patches,
    width / heads / 2,
  ]);
  const both = unsqueeze(concat([angles, angles], -1), 1);
  return { cos: cos(both), sin: sin(both) };
}

/** Queries, keys and values [P, heads, D] -> what each patch gathered [P, width]. */
type Attend = (query: Value, key: Value, value: Value) => Value;

/** softmax(Q Kᵀ / √D) V over [..., heads, Q, D] and [..., heads, K, D]. */
function attended(query: Value, key: Value, value: Value, mask?: Value): Value {
  const scores = matmul(query, key, { transB: true, alpha: (query.shape.at(-1) as number) ** -0.5 });
  return matmul(softmax(mask ? add(scores, mask) : scores), value);
}

const rows = (x: Value, patches: Dim, width: number): Value => reshape(transpose(x, [1, 0, 2]), [patches, width]);

/** Every patch of a picture sees the picture's others. */
function wholePictures({ hidden_size: width }: QwenVisionConfig, patches: Dim): Attend {
  const marks = input(PICTURES, [patches], 'int32');
  const mask = unsqueeze(where(equal(unsqueeze(marks, 1), unsqueeze(marks, 0)), 0, LOWEST), 0);
  return (...qkv) => {
    const [query, key, value] = qkv.map(x => transpose(x, [1, 0, 2]));
    return rows(attended(query, key, value, mask), patches, width);
  };
}

/**
 * The same for pictures of `each` patches: each picture's by themselves, and some queries after the other. Scores of all pictures, or of all of a
 * picture's queries, would not fit into memory.
 */
function likePictures(
  { hidden_size: width, num_attention_heads: heads }: QwenVisionConfig,
  patches: Dim,
  { each, parts }: PictureCuts,
): Attend {
  const pictures = divided(patches, each);
  const edge = Math.ceil(each / parts);
  const cuts = Array.from({ length: Math.ceil(each / edge) }, (_, i) => [i * edge, Math.min(each, (i + 1) * edge)] as const);
  return (...qkv) => {
    // -> [pictures, heads, each, D]
    const [query, key, value] = qkv.map(x => transpose(reshape(x, [pictures, each, heads, width / heads]), [0, 2, 1, 3]));
    const found = cuts.map(([from, to]) => attended(cuts.length > 1 ? slice(query, 2, from, to) : query, key, value));
    return reshape(transpose(cuts.length > 1 ? concat(found, 2) : found[0], [0, 2, 1, 3]), [patches, width]);
  };
}

/** Every patch of a window sees the window's others. Windows at the edge have fewer patches, which what fills them up must not change. */
function windowed({ hidden_size: width, num_attention_heads: heads }: QwenVisionConfig, patches: Dim): Attend {
  const [count, size] = ['windows', 'window_patch'];
  const members = input(WINDOW_PATCHES, [count, size], 'int32');
  const shown = input(WINDOW_SHOWN, [count, size], 'int32');
  const places = input(WINDOW_PLACES, [patches], 'int32');
  const mask = unsqueeze(unsqueeze(where(equal(shown, 1), 0, LOWEST), 1), 1);
  return (...qkv) => {
    // [W, S, heads, D] -> [W, heads, S, D]
    const [query, key, value] = qkv.map(x => transpose(gather(x, members), [0, 2, 1, 3]));
    const found = transpose(attended(query, key, value, mask), [0, 2, 1, 3]);
    return reshape(gather(reshape(found, [mulDims([count, size]), heads, width / heads]), places), [patches, width]);
  };
}

function attention(p: Parameters, config: QwenVisionConfig, x: Value, rope: { cos: Value; sin: Value }, attend: Attend): Value {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const [patches] = x.shape;
  const depth = width / heads;
  const split = reshape(project(p, 'qkv', x, 3 * width), [patches, 3, heads, depth]);
  const [query, key, value] = [0, 1, 2].map(i => reshape(slice(split, 1, i, i + 1), [patches, heads, depth]));
  return project(p, 'proj', attend(rotary(query, rope.cos, rope.sin), rotary(key, rope.cos, rope.sin), value), width);
}

function feedForward(p: Parameters, config: QwenVisionConfig, x: Value): Value {
  const { hidden_size: width, intermediate_size: inner, hidden_act: act } = config;
  if (config.model_type === 'qwen2_vl') return project(p, 'fc2', ACTIVATIONS[act](project(p, 'fc1', x, inner)), width);
  return project(p, 'down_proj', mul(ACTIVATIONS[act](project(p, 'gate_proj', x, inner)), project(p, 'up_proj', x, inner)), width);
}

/** Patches [P, C·T·p·p] -> [P, width of the tower]. @param cuts of pictures that all have as many patches */
export function qwenTower(p: Parameters, config: LlavaConfig, pixels: Value, cuts?: PictureCuts): Value {
  const vision = qwenVision(config);
  const { hidden_size: width, patch_size: patch, temporal_patch_size: frames, num_channels: channels } = vision;
  return scope('model.vision_tower', () => {
    const tower = p.in('model.vision_tower');
    const values = channels * frames * patch * patch;
    const kernel = reshape(tower.get('patch_embed.proj.weight', [width, channels, frames, patch, patch]), [width, values]);
    const [patches] = pixels.shape;
    const rope = patchRope(vision, patches);
    const whole = cuts ? likePictures(vision, patches, cuts) : wholePictures(vision, patches);
    const windows = vision.window_size === undefined ? whole : windowed(vision, patches);
    let x = matmul(pixels, kernel, { transB: true });
    for (let i = 0; i < vision.num_hidden_layers; i++)
      x = scope(`blocks.${i}`, () => {
        const block = tower.in(`blocks.${i}`);
        const attend = vision.fullatt_block_indexes?.includes(i) === false ? windows : whole;
        const seen = add(
          x,
          scope('attn', () => attention(block.in('attn'), vision, norm(block, 'norm1', x, vision), rope, attend)),
        );
        return add(
          seen,
          scope('mlp', () => feedForward(block.in('mlp'), vision, norm(block, 'norm2', seen, vision))),
        );
      });
    return x;
  });
}

/** The merger: norm, squares of patches side by side, two layers. [P, width of the tower] -> [F, 1, width of the decoder]. */
export function qwenMerger(p: Parameters, config: LlavaConfig, features: Value): Value {
  const vision = qwenVision(config);
  const unit = vision.spatial_merge_size ** 2;
  const inner = vision.hidden_size * unit;
  return scope('model.multi_modal_projector', () => {
    const merger = p.in('model.multi_modal_projector');
    const normed = norm(merger, 'ln_q', features, vision);
    const joined = reshape(normed, [divided(features.shape[0], unit), 1, inner]);
    const mlp = merger.in('mlp');
    return project(mlp, '2', ACTIVATIONS.gelu(project(mlp, '0', joined, inner)), config.text_config.hidden_size);
  });
}
