/** @file CLIP's two towers as attribution methods see them (see dual-encoder.ts). */

import { type Dim, equal, input, scope, unsqueeze, type Value, where } from '../../graph/index.ts';
import { hiddenKeys, LOWEST, rowAt, textMask } from '../../nn/attention.ts';
import type { SuffixOptions } from '../../nn/encoder.ts';
import { encode } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { repeatRows } from '../../nn/repeat-rows.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import type { CLIPConfig } from './config.ts';
import { addPositions, embedTokens, projectText, projectTextTokens, rowsAt, textSuffix } from './text.ts';
import { embedPixels, projectVision, projectVisionTokens, visionSuffix } from './vision.ts';

/** @param table gives position embeddings [1 + N, D] for an input size where it is not the config's. */
export function visionTowerView(p: Parameters, config: CLIPConfig, table: (height: number, width: number) => Value | undefined): Tower {
  const { vision_config: vision } = config;
  const tower = p.in('vision_model');
  return {
    modality: 'image',
    layers: vision.num_hidden_layers,
    width: vision.hidden_size,
    heads: vision.num_attention_heads,
    features: config.projection_dim,
    prefixTokens: 1,
    pooling: 'token',
    pooledTokens: inputs => Array(inputs.pixel_values.shape[0]).fill(0),
    grid: (height, width) => [Math.floor(height / vision.patch_size), Math.floor(width / vision.patch_size)],
    source: inputs => input('pixel_values', ['batch', ...inputs.pixel_values.shape.slice(1)]),
    embed(source, inputs) {
      const [, , height, width] = inputs.pixel_values.shape;
      return scope('vision_model', () => embedPixels(tower, vision, source, table(height, width)));
    },
    prefix(layer, inputs) {
      const embedded = this.embed(this.source(inputs), inputs);
      const { hidden } = scope('vision_model', () => encode(tower, vision, embedded, { to: layer + 1 }));
      return { hidden: hidden[layer + 1], features: visionSuffix(p, config, hidden[layer + 1], layer + 1) };
    },
    suffix: (layer, hidden, _repeat, _inputs, options) => visionSuffix(p, config, hidden, layer + 1, options),
    trace(layer, hidden, _repeat, _inputs, { keyMask, tap } = {}) {
      const mask = keyMask && hiddenKeys(keyMask);
      const run = scope('vision_model', () => encode(tower, vision, hidden, { from: layer + 1, mask, tap }));
      return { blocks: run.blocks, features: projectVision(p, config, rowAt(run.hidden.at(-1)!, 0)) };
    },
    pool: hidden => ({ features: projectVision(p, config, rowAt(hidden, 0)) }),
    project: tokens => projectVisionTokens(p, config, tokens),
    suffixFeeds: () => ({}),
  };
}

/** The text tower. Inputs: input_ids [B, T], eos [B], and attention_mask [B, T] where a batch is padded. */
export function textTowerView(p: Parameters, config: CLIPConfig): Tower {
  const { text_config: text } = config;
  const tower = p.in('text_model');
  const eosOf = (repeat: Dim): Value => repeatRows(input('eos', ['batch'], 'int32'), repeat);
  const maskOf = (hidden: Value, repeat: Dim, inputs: TowerInputs, options: SuffixOptions = {}): Value => {
    const padding = inputs.attention_mask && repeatRows(input('attention_mask', ['batch', 'seq'], 'int32'), repeat);
    const mask = textMask(hidden, padding);
    return options.keyMask ? where(equal(unsqueeze(unsqueeze(options.keyMask, 1), 1), 0), LOWEST, mask) : mask;
  };
  return {
    modality: 'text',
    layers: text.num_hidden_layers,
    width: text.hidden_size,
    heads: text.num_attention_heads,
    features: config.projection_dim,
    prefixTokens: 0,
    pooling: 'token',
    pooledTokens: inputs => Array.from(inputs.eos.data as Int32Array),
    source: () => scope('text_model', () => embedTokens(tower, text, input('input_ids', ['batch', 'seq'], 'int32'))),
    embed: source => scope('text_model', () => addPositions(tower, text, source)),
    prefix(layer, inputs) {
      const embedded = this.embed(this.source(inputs), inputs);
      const mask = maskOf(embedded, 1, inputs);
      const { hidden } = scope('text_model', () => encode(tower, text, embedded, { mask, to: layer + 1 }));
      return { hidden: hidden[layer + 1], features: textSuffix(p, config, hidden[layer + 1], { from: layer + 1, eos: eosOf(1), mask }) };
    },
    suffix: (layer, hidden, repeat, inputs, options) =>
      textSuffix(p, config, hidden, {
        from: layer + 1,
        eos: eosOf(repeat),
        mask: maskOf(hidden, repeat, inputs, options),
        tap: options?.tap,
      }),
    trace(layer, hidden, repeat, inputs, options) {
      const mask = maskOf(hidden, repeat, inputs, options);
      const run = scope('text_model', () => encode(tower, text, hidden, { from: layer + 1, mask, tap: options?.tap }));
      return { blocks: run.blocks, features: projectText(p, config, rowsAt(run.hidden.at(-1)!, eosOf(repeat))) };
    },
    pool: (hidden, repeat) => ({ features: projectText(p, config, rowsAt(hidden, eosOf(repeat))) }),
    project: tokens => projectTextTokens(p, config, tokens),
    suffixFeeds: ({ eos, attention_mask }): TowerInputs => (attention_mask ? { eos, attention_mask } : { eos }),
  };
}
