/** @file SigLIP's two towers as attribution methods see them (see dual-encoder.ts). */
import { input, scope, type Value } from '../../graph/index.ts';
import { hiddenKeys } from '../../nn/attention.ts';
import { encode } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { addPositions, embedTokens } from '../clip/text.ts';
import type { Tower } from '../dual-encoder.ts';
import { type SiglipConfig, sharedWidth } from './config.ts';
import { lastToken, projectText, projectTextTokens, textSuffix } from './text.ts';
import { embedPixels, poolTokens, visionSuffix } from './vision.ts';

/** @param table gives position embeddings [N, D] for an input size where it is not the config's. */
export function visionTowerView(p: Parameters, config: SiglipConfig, table: (height: number, width: number) => Value | undefined): Tower {
  const { vision_config: vision } = config;
  const tower = p.in('vision_model');
  const inside = <T>(build: () => T): T => scope('vision_model', build);
  return {
    modality: 'image',
    layers: vision.num_hidden_layers,
    width: vision.hidden_size,
    heads: vision.num_attention_heads,
    features: vision.hidden_size,
    prefixTokens: 0,
    pooling: 'attention',
    grid: (height, width) => [Math.floor(height / vision.patch_size), Math.floor(width / vision.patch_size)],
    source: inputs => input('pixel_values', ['batch', ...inputs.pixel_values.shape.slice(1)]),
    embed(source, inputs) {
      const [, , height, width] = inputs.pixel_values.shape;
      return inside(() => embedPixels(tower, vision, source, table(height, width)));
    },
    prefix(layer, inputs) {
      const embedded = this.embed(this.source(inputs), inputs);
      return inside(() => {
        const hidden = encode(tower, vision, embedded, { to: layer + 1 }).hidden[layer + 1];
        return { hidden, features: visionSuffix(tower, vision, hidden, layer + 1).features };
      });
    },
    suffix: (layer, hidden, _repeat, _inputs, options) => inside(() => visionSuffix(tower, vision, hidden, layer + 1, options).features),
    trace(layer, hidden, _repeat, _inputs, options) {
      const { blocks, features, attention, normed } = inside(() => visionSuffix(tower, vision, hidden, layer + 1, options));
      return { blocks, features, poolAttention: attention, poolInput: normed };
    },
    pool: hidden => inside(() => poolTokens(tower, vision, hidden)),
    suffixFeeds: () => ({}),
  };
}

/** The text tower. Input: input_ids [B, max_position_embeddings], padded. */
export function textTowerView(p: Parameters, config: SiglipConfig): Tower {
  const { text_config: text } = config;
  const tower = p.in('text_model');
  const inside = <T>(build: () => T): T => scope('text_model', build);
  return {
    modality: 'text',
    layers: text.num_hidden_layers,
    width: text.hidden_size,
    heads: text.num_attention_heads,
    features: sharedWidth(config),
    prefixTokens: 0,
    pooling: 'token',
    pooledTokens: ({ input_ids: ids }) => Array(ids.shape[0]).fill(ids.shape[1] - 1),
    source: () => inside(() => embedTokens(tower, text, input('input_ids', ['batch', 'seq'], 'int32'))),
    embed: source => inside(() => addPositions(tower, text, source)),
    prefix(layer, inputs) {
      const embedded = this.embed(this.source(inputs), inputs);
      const hidden = inside(() => encode(tower, text, embedded, { to: layer + 1 }).hidden[layer + 1]);
      return { hidden, features: textSuffix(tower, config, hidden, layer + 1) };
    },
    suffix: (layer, hidden, _repeat, _inputs, options) => textSuffix(tower, config, hidden, layer + 1, options),
    trace(layer, hidden, _repeat, _inputs, { keyMask, tap } = {}) {
      const mask = keyMask && hiddenKeys(keyMask);
      return inside(() => {
        const run = encode(tower, text, hidden, { from: layer + 1, mask, tap });
        return { blocks: run.blocks, features: projectText(tower, config, lastToken(run.hidden.at(-1)!)) };
      });
    },
    pool: hidden => ({ features: inside(() => projectText(tower, config, lastToken(hidden))) }),
    project: tokens => inside(() => projectTextTokens(tower, config, tokens)),
    suffixFeeds: () => ({}),
  };
}
