/** @file Rotary position tables (Su et al. 2021, RoFormer) of Llama and Qwen2, with linear and Llama-3 scaling of the frequencies. */
import { add, cast, concat, constant, cos, mul, reshape, scope, sin, slice, unsqueeze, type Value } from '../graph/index.ts';
import { floats } from '../tensor/tensor.ts';

/** How the frequencies of a longer context are made from those of training; keys as in config.json's `rope_scaling`. */
export type RopeScaling =
  | { readonly rope_type: 'default' }
  | { readonly rope_type: 'linear'; readonly factor: number }
  | {
      readonly rope_type: 'llama3';
      readonly factor: number;
      readonly low_freq_factor: number;
      readonly high_freq_factor: number;
      readonly original_max_position_embeddings: number;
    };

/**
 * Angular frequencies of the pairs of a head, radians per position: θ^(−2i/D), i < D/2, scaled.
 * Linear divides them all; Llama 3 divides long wavelengths, keeps short ones and blends between (transformers' modeling_rope_utils).
 */
export function ropeFrequencies(width: number, theta: number, scaling: RopeScaling = { rope_type: 'default' }): Float32Array {
  const plain = Float32Array.from({ length: width / 2 }, (_, i) => theta ** (-(2 * i) / width));
  if (scaling.rope_type === 'default') return plain;
  if (scaling.rope_type === 'linear') return plain.map(f => f / scaling.factor);
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: context } = scaling;
  return plain.map(f => {
    // How often the wave turns within the context of training.
    const turns = (context * f) / (2 * Math.PI);
    if (turns < low) return f / factor;
    if (turns > high) return f;
    const blend = (turns - low) / (high - low);
    return ((1 - blend) * f) / factor + blend * f;
  });
}

/** Cosine and sine of every position's angles. */
export interface RopeTable {
  /** [B, 1, T, D], each frequency twice over */
  readonly cos: Value;
  readonly sin: Value;
}

/** @param positions int32 [B, T]; @param frequencies see `ropeFrequencies`, D/2 of them */
export function ropeTable(positions: Value, frequencies: Float32Array): RopeTable {
  return scope('rotary_emb', () => {
    const [batch, tokens] = positions.shape;
    const half = mul(unsqueeze(cast(positions, 'float32'), -1), constant(floats([1, 1, frequencies.length], frequencies)));
    const angles = reshape(concat([half, half], -1), [batch, 1, tokens, 2 * frequencies.length]);
    return { cos: cos(angles), sin: sin(angles) };
  });
}

/**
 * M-RoPE (Qwen2-VL, arXiv 2409.12191): the first frequencies of a head go by time, the next by row, the rest by column.
 * @param positions int32 [B, T] @param spatial int32 [B, T, 2] @param sections how many of the D/2 frequencies each takes
 */
export function spatialRopeTable(positions: Value, spatial: Value, frequencies: Float32Array, sections: readonly number[]): RopeTable {
  return scope('rotary_emb', () => {
    const [batch, tokens] = positions.shape;
    const ends = sections.map((_, i) => sections.slice(0, i + 1).reduce((a, b) => a + b, 0));
    const axes = [unsqueeze(positions, -1), slice(spatial, 2, 0, 1), slice(spatial, 2, 1, 2)];
    // A frequency that goes by another axis is 0 on this one.
    const angles = axes.map((axis, i) => {
      const own = frequencies.map((f, k) => (k < ends[i] && k >= ends[i] - sections[i] ? f : 0));
      return mul(cast(axis, 'float32'), constant(floats([1, 1, own.length], own)));
    });
    const half = angles.reduce((a, b) => add(a, b));
    const both = reshape(concat([half, half], -1), [batch, 1, tokens, 2 * frequencies.length]);
    return { cos: cos(both), sin: sin(both) };
  });
}
