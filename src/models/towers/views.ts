/** @file Towers of any spec as attribution methods see them (see dual-encoder.ts). */
import { type Dim, input, scope, type Value } from '../../graph/index.ts';
import { encode, type SuffixOptions } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { repeatRows } from '../../nn/repeat-rows.ts';
import { rowsAt } from '../clip/text.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { featureWidth, type TextSpec, type VisionSpec } from './spec.ts';
import { addPositions, embedTokens, projectPooled, projectTextTokens, textBlocks, textMasks, textSuffix } from './text.ts';
import { embedPixels, projectTokens, visionEnd, visionSuffix, visionTrace } from './vision.ts';

/** The image tower. @param table gives position embeddings [prefix + N, D] for an input size where it is not the config's */
export function visionView(p: Parameters, spec: VisionSpec, table: (height: number, width: number) => Value | undefined): Tower {
  const tower = p.in('vision_model');
  const token = spec.pooling === 'token';
  return {
    modality: 'image',
    layers: spec.num_hidden_layers,
    width: spec.hidden_size,
    heads: spec.num_attention_heads,
    features: featureWidth(spec),
    prefixTokens: spec.class_token ? 1 : 0,
    pooling: token ? 'token' : 'attention',
    ...(token ? { pooledTokens: (inputs: TowerInputs) => Array(inputs.pixel_values.shape[0]).fill(0) } : {}),
    grid: (height, width) => [Math.floor(height / spec.patch_size), Math.floor(width / spec.patch_size)],
    source: inputs => input('pixel_values', ['batch', ...inputs.pixel_values.shape.slice(1)]),
    embed(source, inputs) {
      const [, , height, width] = inputs.pixel_values.shape;
      return scope('vision_model', () => embedPixels(tower, spec, source, table(height, width)));
    },
    prefix(layer, inputs) {
      const embedded = this.embed(this.source(inputs), inputs);
      const hidden = scope('vision_model', () => encode(tower, spec, embedded, { to: layer + 1 })).hidden[layer + 1];
      return { hidden, features: visionSuffix(p, spec, hidden, layer + 1) };
    },
    suffix: (layer, hidden, _repeat, _inputs, options) => visionSuffix(p, spec, hidden, layer + 1, options),
    trace(layer, hidden, _repeat, _inputs, options) {
      const { blocks, end } = visionTrace(p, spec, hidden, layer + 1, options);
      return { blocks, features: end.features, ...(end.read ? { poolAttention: end.attention, poolInput: end.read } : {}) };
    },
    pool(hidden) {
      const { features, attention } = visionEnd(p, spec, hidden);
      return { features, attention };
    },
    ...(token ? { project: (tokens: Value) => projectTokens(p, spec, tokens) } : {}),
    suffixFeeds: () => ({}),
  };
}

/** The text tower. Inputs: input_ids [B, T], eos [B] (the position that is read), and attention_mask [B, T] where padding is hidden. */
export function textView(p: Parameters, spec: TextSpec): Tower {
  const at = (repeat: Dim): Value => repeatRows(input('eos', ['batch'], 'int32'), repeat);
  const masks = (hidden: Value, repeat: Dim, inputs: TowerInputs, options?: SuffixOptions) => {
    const padding = inputs.attention_mask && repeatRows(input('attention_mask', ['batch', 'seq'], 'int32'), repeat);
    return textMasks(spec, hidden, at(repeat), padding, options?.keyMask);
  };
  return {
    modality: 'text',
    layers: spec.num_hidden_layers,
    width: spec.hidden_size,
    heads: spec.num_attention_heads,
    features: featureWidth(spec),
    prefixTokens: 0,
    pooling: 'token',
    pooledTokens: inputs => Array.from(inputs.eos.data as Int32Array),
    source: () => embedTokens(p, spec, input('input_ids', ['batch', 'seq'], 'int32')),
    embed: source => addPositions(p, spec, source),
    prefix(layer, inputs) {
      const embedded = this.embed(this.source(inputs), inputs);
      const seen = masks(embedded, 1, inputs);
      const hidden = textBlocks(p, spec, embedded, { to: layer + 1, masks: seen }).hidden[layer + 1];
      return { hidden, features: textSuffix(p, spec, hidden, { from: layer + 1, at: at(1), masks: seen }) };
    },
    suffix: (layer, hidden, repeat, inputs, options) =>
      textSuffix(p, spec, hidden, { from: layer + 1, at: at(repeat), masks: masks(hidden, repeat, inputs, options), tap: options?.tap }),
    trace(layer, hidden, repeat, inputs, options) {
      const run = textBlocks(p, spec, hidden, { from: layer + 1, masks: masks(hidden, repeat, inputs, options), tap: options?.tap });
      return { blocks: run.blocks, features: projectPooled(p, spec, rowsAt(run.hidden.at(-1)!, at(repeat))) };
    },
    pool: (hidden, repeat) => ({ features: projectPooled(p, spec, rowsAt(hidden, at(repeat))) }),
    project: tokens => projectTextTokens(p, spec, tokens),
    suffixFeeds: ({ eos, attention_mask }): TowerInputs => (attention_mask ? { eos, attention_mask } : { eos }),
  };
}
