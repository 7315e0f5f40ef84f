/** @file CLIP's text tower: token and position embeddings, causal blocks, final norm, the end-of-text token pooled, projection. */
import { add, broadcastTo, gather, iota, linear, scope, slice, squeeze, takeAlongAxis, unsqueeze, type Value } from '../../graph/index.ts';
import type { SuffixOptions } from '../../nn/encoder.ts';
import { encodePooled, normLayer } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import type { CLIPConfig, CLIPTextConfig } from './config.ts';

/** What the embeddings need of a config (CLIP's and SigLIP's are the same). */
type EmbeddingConfig = Pick<CLIPTextConfig, 'vocab_size' | 'hidden_size' | 'max_position_embeddings'>;

/** Rows of the token table: integers [B, T] -> [B, T, D]. */
export const embedTokens = (p: Parameters, config: EmbeddingConfig, ids: Value): Value =>
  scope('embeddings', () => gather(p.in('embeddings').get('token_embedding.weight', [config.vocab_size, config.hidden_size]), ids));

/** Token embeddings [B, T, D] with positions added: the input of the first block. */
export function addPositions(p: Parameters, config: EmbeddingConfig, tokens: Value): Value {
  return scope('embeddings', () => {
    const table = p.in('embeddings').get('position_embedding.weight', [config.max_position_embeddings, config.hidden_size]);
    const length = tokens.shape[1];
    return add(tokens, unsqueeze(typeof length === 'number' ? slice(table, 0, 0, length) : gather(table, iota(tokens, 1)), 0));
  });
}

/** Token and position embeddings (hidden_states[0]): integers [B, T] -> [B, T, D]. */
export const embedText = (p: Parameters, config: EmbeddingConfig, ids: Value): Value =>
  addPositions(p, config, embedTokens(p, config, ids));

/**
 * Which position each text is pooled at (CLIPTextTransformer): the first end-of-text token; with the legacy `eos_token_id` 2, the
 * largest id. A text without the token is pooled at position 0, as transformers' arg-max of an all-false mask does.
 * @param ids integers [B, T]
 * @returns int32 [B]
 */
export function eosPositions(config: CLIPTextConfig, ids: Tensor): Tensor {
  const [batch, length] = ids.shape;
  const out = new Int32Array(batch);
  for (let b = 0; b < batch; b++) {
    const row = Array.from(ids.data.subarray(b * length, (b + 1) * length) as Int32Array, Number);
    out[b] = config.eos_token_id === 2 ? row.indexOf(Math.max(...row)) : Math.max(0, row.indexOf(config.eos_token_id ?? -1));
  }
  return ints([batch], out);
}

/** The row at its own position of each sample: [B, T, D] at int32 [B] -> [B, 1, D]. */
export function rowsAt(x: Value, positions: Value): Value {
  const [batch, , width] = x.shape;
  return takeAlongAxis(x, broadcastTo(unsqueeze(unsqueeze(positions, 1), 1), [batch, 1, width], x), 1);
}

/** Any tokens through the tower's end, [B, M, D] -> [B, M, projection_dim]. */
export function projectTextTokens(p: Parameters, config: CLIPConfig, tokens: Value): Value {
  const normed = scope('text_model', () => normLayer(p.in('text_model'), 'final_layer_norm', tokens, config.text_config.layer_norm_eps));
  return linear(normed, p.get('text_projection.weight', [config.projection_dim, config.text_config.hidden_size]));
}

/** Pooled and projected: [B, 1, D] (after the last block) -> text features [B, projection_dim], not normalised. */
export const projectText = (p: Parameters, config: CLIPConfig, pooled: Value): Value => squeeze(projectTextTokens(p, config, pooled), 1);

/**
 * From the input of block `from` [B, T, D] to text features [B, projection_dim], last block for the pooled token only.
 * @param options `eos`: int32 [B]; `mask`: additive [1 or B, 1, T, T]
 */
export function textSuffix(
  p: Parameters,
  config: CLIPConfig,
  hidden: Value,
  { from, eos, mask, tap }: { readonly from: number; readonly eos: Value; readonly mask: Value } & Pick<SuffixOptions, 'tap'>,
): Value {
  const pick = (x: Value): Value => rowsAt(x, eos);
  const pooled = scope('text_model', () =>
    encodePooled(p.in('text_model'), config.text_config, hidden, { from, pick, masks: { all: mask, pooled: pooledMask(mask, eos) }, tap }),
  );
  return projectText(p, config, pooled);
}

/** The pooled queries' rows of a mask: [1 or B, 1, T, T] -> [B, 1, T]. */
function pooledMask(mask: Value, eos: Value): Value {
  const square = squeeze(mask, 1);
  if (mask.shape[0] === 1) return unsqueeze(gather(squeeze(square, 0), eos), 1);
  return rowsAt(square, eos);
}
