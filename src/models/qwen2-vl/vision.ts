/**
 * @file Qwen2-VL's and Qwen2.5-VL's tower and merger: patches of a picture in one row, rotary positions by row and column, attention within a
 * picture or (2.5) a window of it. transformers sorts patches by windows; here a mask keeps windows apart, which gives the same.
 */

import type { Dim } from '../../graph/dims.ts';
import {
  ACTIVATIONS,
  add,
  cast,
  concat,
  constant,
  cos,
  equal,
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
import type { QwenVisionConfig } from './config.ts';

/** Inputs of the tower besides pixels: row and column of each patch, its picture, its window (2.5). */
export const [PLACES, PICTURES, WINDOWS] = ['patch_places', 'patch_pictures', 'patch_windows'];

/** Tokens of all pictures, by name; each is made of `spatial_merge_size`² patches. */
const MERGED = 'merged';

/** How many patches there are, by name. */
export const patchCount = ({ spatial_merge_size: edge }: QwenVisionConfig): Dim => mulDims([edge ** 2, MERGED]);

/** The tower's part of a config of this family. */
export const qwenVision = (config: LlavaConfig): QwenVisionConfig => config.vision_config as QwenVisionConfig;

const norm = (p: Parameters, name: string, x: Value, { model_type: type, hidden_size: width }: QwenVisionConfig): Value =>
  scope(name, () => {
    const weight = p.get(`${name}.weight`, [width]);
    return type === 'qwen2_vl' ? layerNorm(x, weight, p.get(`${name}.bias`, [width]), 1e-6) : rmsNorm(x, weight, 1e-6);
  });

/** Cosines and sines of the patches, [1, P, D]: a quarter of a head's frequencies for rows, one for columns, both twice over. */
function patchRope(config: QwenVisionConfig): { cos: Value; sin: Value } {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const patches = patchCount(config);
  const frequencies = ropeFrequencies(width / heads / 2, 10000);
  const places = cast(input(PLACES, [patches, 2], 'int32'), 'float32');
  const angles = reshape(mul(unsqueeze(places, -1), constant(floats([1, 1, frequencies.length], frequencies))), [
    patches,
    width / heads / 2,
  ]);
  const both = unsqueeze(concat([angles, angles], -1), 0);
  return { cos: cos(both), sin: sin(both) };
}

/** Additive mask [1, P, P] of patches with different marks. */
function apart(name: string, patches: Dim): Value {
  const marks = input(name, [patches], 'int32');
  return unsqueeze(where(equal(unsqueeze(marks, 1), unsqueeze(marks, 0)), 0, LOWEST), 0);
}

function attention(p: Parameters, config: QwenVisionConfig, x: Value, rope: { cos: Value; sin: Value }, mask: Value): Value {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const patches = patchCount(config);
  const depth = width / heads;
  const split = reshape(project(p, 'qkv', x, 3 * width), [patches, 3, heads, depth]);
  const [query, key, value] = [0, 1, 2].map(i => transpose(reshape(slice(split, 1, i, i + 1), [patches, heads, depth]), [1, 0, 2]));
  const scores = matmul(rotary(query, rope.cos, rope.sin), rotary(key, rope.cos, rope.sin), { transB: true, alpha: depth ** -0.5 });
  const context = matmul(softmax(add(scores, mask)), value);
  return project(p, 'proj', reshape(transpose(context, [1, 0, 2]), [patches, width]), width);
}

function feedForward(p: Parameters, config: QwenVisionConfig, x: Value): Value {
  const { hidden_size: width, intermediate_size: inner, hidden_act: act } = config;
  if (config.model_type === 'qwen2_vl') return project(p, 'fc2', ACTIVATIONS[act](project(p, 'fc1', x, inner)), width);
  return project(p, 'down_proj', mul(ACTIVATIONS[act](project(p, 'gate_proj', x, inner)), project(p, 'up_proj', x, inner)), width);
}

/** Patches [P, C·T·p·p] -> [P, width of the tower]. */
export function qwenTower(p: Parameters, config: LlavaConfig, pixels: Value): Value {
  const vision = qwenVision(config);
  const { hidden_size: width, patch_size: patch, temporal_patch_size: frames, num_channels: channels } = vision;
  return scope('model.vision_tower', () => {
    const tower = p.in('model.vision_tower');
    const values = channels * frames * patch * patch;
    const kernel = reshape(tower.get('patch_embed.proj.weight', [width, channels, frames, patch, patch]), [width, values]);
    const rope = patchRope(vision);
    const whole = apart(PICTURES, patchCount(vision));
    const windows = vision.window_size === undefined ? whole : apart(WINDOWS, patchCount(vision));
    let x = matmul(pixels, kernel, { transB: true });
    for (let i = 0; i < vision.num_hidden_layers; i++)
      x = scope(`blocks.${i}`, () => {
        const block = tower.in(`blocks.${i}`);
        const mask = vision.fullatt_block_indexes?.includes(i) === false ? windows : whole;
        const attended = add(
          x,
          scope('attn', () => attention(block.in('attn'), vision, norm(block, 'norm1', x, vision), rope, mask)),
        );
        return add(
          attended,
          scope('mlp', () => feedForward(block.in('mlp'), vision, norm(block, 'norm2', attended, vision))),
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
    const joined = reshape(normed, [MERGED, 1, inner]);
    const mlp = merger.in('mlp');
    return project(mlp, '2', ACTIVATIONS.gelu(project(mlp, '0', joined, inner)), config.text_config.hidden_size);
  });
}
