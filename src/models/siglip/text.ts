/**
 * @file SigLIP's text tower (SiglipTextTransformer): every token sees every other, padding included, as it was trained; the last position
 * is pooled after the final norm and goes through a linear head.
 */
import { scope, slice, squeeze, type Value } from '../../graph/index.ts';
import { hiddenKeys, project } from '../../nn/attention.ts';
import type { SuffixOptions } from '../../nn/encoder.ts';
import { encodePooled, normLayer } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { type SiglipConfig, sharedWidth } from './config.ts';

/** Any tokens through the tower's end, [B, M, D] -> [B, M, E]. */
export function projectTextTokens(p: Parameters, config: SiglipConfig, tokens: Value): Value {
  const normed = normLayer(p, 'final_layer_norm', tokens, config.text_config.layer_norm_eps);
  return project(p, 'head', normed, sharedWidth(config));
}

/** The pooled token of each text, [B, T, D] -> [B, 1, D]; T may be named, as graphs of methods have it. */
export const lastToken = (hidden: Value): Value => slice(hidden, 1, -1);

/** Pooled and projected: [B, 1, D] (the last token after the last block) -> text features [B, E], not normalised. */
export const projectText = (p: Parameters, config: SiglipConfig, pooled: Value): Value => squeeze(projectTextTokens(p, config, pooled), 1);

/** From the input of block `from` [B, T, D] to text features [B, E], the last block for the pooled token only. */
export function textSuffix(p: Parameters, config: SiglipConfig, hidden: Value, from: number, options: SuffixOptions = {}): Value {
  const all = options.keyMask && hiddenKeys(options.keyMask);
  const masks = all ? { all, pooled: squeeze(all, 1) } : {};
  return scope('text_model', () =>
    projectText(p, config, encodePooled(p, config.text_config, hidden, { from, pick: lastToken, masks, tap: options.tap })),
  );
}
