/** @file CLIP's two towers as attribution methods see them (see dual-encoder.ts). */

import { mulDims } from '../../graph/dims.ts';
import { broadcastTo, constant, input, reshape, scope, unsqueeze, type Value } from '../../graph/index.ts';
import { textMask } from '../../nn/attention.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { floats } from '../../tensor/tensor.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import type { CLIPConfig } from './config.ts';
import { encode } from './encoder.ts';
import { embedText, textSuffix } from './text.ts';
import { embedPixels, visionSuffix } from './vision.ts';

/** Repeats each row of [B, …] `times` times: [B·times, …], row b at b·times … b·times + times − 1. */
function repeatRows(x: Value, times: number): Value {
  if (times === 1) return x;
  const [batch, ...rest] = x.shape;
  const wide = broadcastTo(unsqueeze(x, 1), [batch, times, ...rest]);
  return reshape(wide, [mulDims([batch, times]), ...rest]);
}

/** @param table gives position embeddings [1 + N, D] for an input size where it is not the config's. */
export function visionTowerView(
  p: Parameters,
  config: CLIPConfig,
  table: (height: number, width: number) => Float32Array | undefined,
): Tower {
  const { vision_config: vision } = config;
  return {
    modality: 'image',
    layers: vision.num_hidden_layers,
    width: vision.hidden_size,
    heads: vision.num_attention_heads,
    prefixTokens: 1,
    grid: (height, width) => [Math.floor(height / vision.patch_size), Math.floor(width / vision.patch_size)],
    prefix(layer, inputs) {
      const [, channels, height, width] = inputs.pixel_values.shape;
      const pixels = input('pixel_values', ['batch', channels, height, width]);
      const other = table(height, width);
      const positions = other && constant(floats([other.length / vision.hidden_size, vision.hidden_size], other));
      const tower = p.in('vision_model');
      const { hidden } = scope('vision_model', () =>
        encode(tower, vision, embedPixels(tower, vision, pixels, positions), { to: layer + 1 }),
      );
      return { hidden: hidden[layer + 1], features: visionSuffix(p, config, hidden[layer + 1], layer + 1) };
    },
    suffix: (layer, hidden) => visionSuffix(p, config, hidden, layer + 1),
    suffixFeeds: () => ({}),
  };
}

/** The text tower. Inputs: input_ids [B, T], eos [B], and attention_mask [B, T] where a batch is padded. */
export function textTowerView(p: Parameters, config: CLIPConfig): Tower {
  const { text_config: text } = config;
  const masked = (inputs: TowerInputs): Value | undefined =>
    inputs.attention_mask ? input('attention_mask', ['batch', 'seq'], 'int32') : undefined;
  return {
    modality: 'text',
    layers: text.num_hidden_layers,
    width: text.hidden_size,
    heads: text.num_attention_heads,
    prefixTokens: 0,
    prefix(layer, inputs) {
      const ids = input('input_ids', ['batch', 'seq'], 'int32');
      const eos = input('eos', ['batch'], 'int32');
      const tower = p.in('text_model');
      const mask = textMask(ids, masked(inputs));
      const { hidden } = scope('text_model', () => encode(tower, text, embedText(tower, text, ids), { mask, to: layer + 1 }));
      return { hidden: hidden[layer + 1], features: textSuffix(p, config, hidden[layer + 1], layer + 1, eos, mask) };
    },
    suffix(layer, hidden, repeat, inputs) {
      const eos = repeatRows(input('eos', ['batch'], 'int32'), repeat);
      const attention = masked(inputs);
      const mask = textMask(hidden, attention && repeatRows(attention, repeat));
      return textSuffix(p, config, hidden, layer + 1, eos, mask);
    },
    suffixFeeds: ({ eos, attention_mask }): TowerInputs => (attention_mask ? { eos, attention_mask } : { eos }),
  };
}
