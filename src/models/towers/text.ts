/** @file A text transformer as its spec says: embeddings, masks, the pooled token and the head; the blocks are nn/encoder.ts. */
import { add, cast, equal, gather, iota, mul, reshape, scope, slice, squeeze, unsqueeze, type Value, where } from '../../graph/index.ts';
import { hiddenKeys, LOWEST, textMask } from '../../nn/attention.ts';
import { encode, encodePooled, normLayer, type SuffixOptions } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import { rowsAt } from '../clip/text.ts';
import { applyHead } from './head.ts';
import type { TextSpec } from './spec.ts';

const inside = <T>(build: () => T): T => scope('text_model', build);

/** Rows of the token table: integers [B, T] -> [B, T, D]. @param p the model's parameters */
export const embedTokens = (p: Parameters, spec: TextSpec, ids: Value): Value =>
  inside(() =>
    scope('embeddings', () =>
      gather(p.in('text_model').in('embeddings').get('token_embedding.weight', [spec.vocab_size, spec.hidden_size]), ids),
    ),
  );

/** Token embeddings [B, T, D] to the first block's input: positions, and BERT's type and norm. @param p the model's parameters */
export function addPositions(p: Parameters, spec: TextSpec, tokens: Value): Value {
  const { hidden_size: width, position_offset: offset } = spec;
  return inside(() =>
    scope('embeddings', () => {
      const e = p.in('text_model').in('embeddings');
      const table = slice(
        e.get('position_embedding.weight', [spec.position_rows, width]),
        0,
        offset,
        offset + spec.max_position_embeddings,
      );
      const length = tokens.shape[1];
      const places = typeof length === 'number' ? slice(table, 0, 0, length) : gather(table, iota(tokens, 1));
      const placed = add(tokens, unsqueeze(places, 0));
      if (!spec.type_rows) return spec.embedding_norm ? normLayer(e, 'layernorm', placed, spec.layer_norm_eps) : placed;
      const type = slice(e.get('token_type_embeddings.weight', [spec.type_rows, width]), 0, 0, 1);
      const typed = add(placed, reshape(type, [1, 1, width]));
      return spec.embedding_norm ? normLayer(e, 'layernorm', typed, spec.layer_norm_eps) : typed;
    }),
  );
}

/** What attention may see: of all queries [1 or B, 1, T or 1, T], and of the pooled one [B, 1, T]; undefined where all is seen. */
export interface TextMasks {
  readonly all?: Value;
  readonly pooled?: Value;
}

/**
 * The additive masks of a spec. @param padding integers [B, T], 1 = token (none: no padding); @param keyMask 1 = shown, float32 [B, T]
 * @param at the pooled positions, int32 [B]
 */
export function textMasks(spec: TextSpec, hidden: Value, at: Value, padding?: Value, keyMask?: Value): TextMasks {
  if (!spec.causal) {
    const shown = padding && keyMask ? mul(keyMask, cast(padding, 'float32')) : (keyMask ?? (padding && cast(padding, 'float32')));
    if (!shown) return {};
    const all = hiddenKeys(shown);
    return { all, pooled: squeeze(all, 1) };
  }
  const causal = textMask(hidden, padding);
  const all = keyMask ? where(equal(unsqueeze(unsqueeze(keyMask, 1), 1), 0), LOWEST, causal) : causal;
  const square = squeeze(all, 1);
  // The pooled queries' rows.
  const pooled = all.shape[0] === 1 ? unsqueeze(gather(squeeze(square, 0), at), 1) : rowsAt(square, at);
  return { all, pooled };
}

/** Any tokens through last norm and head, [B, M, D] -> [B, M, E]. @param p the model's parameters */
export function projectTextTokens(p: Parameters, spec: TextSpec, tokens: Value): Value {
  return applyHead(p, spec.head, lastNorm(p, spec, tokens));
}

/** The last norm, where there is one. @param p the model's parameters */
export const lastNorm = (p: Parameters, spec: TextSpec, x: Value): Value =>
  spec.final_norm ? inside(() => normLayer(p.in('text_model'), 'final_layer_norm', x, spec.layer_norm_eps)) : x;

/** The pooled token [B, 1, D] of the last block to features [B, E]. @param p the model's parameters */
export const projectPooled = (p: Parameters, spec: TextSpec, pooled: Value): Value => squeeze(projectTextTokens(p, spec, pooled), 1);

/** Blocks `from` to the end over all tokens, with their inside. @param p the model's parameters */
export const textBlocks = (
  p: Parameters,
  spec: TextSpec,
  hidden: Value,
  options: { readonly from?: number; readonly to?: number; readonly masks: TextMasks } & Pick<SuffixOptions, 'tap'>,
) => inside(() => encode(p.in('text_model'), spec, hidden, { ...options, mask: options.masks.all }));

/** From the input of block `from` [B, T, D] to features [B, E], the last block for the pooled token only. @param at int32 [B] */
export function textSuffix(
  p: Parameters,
  spec: TextSpec,
  hidden: Value,
  { from, at, masks, tap }: { readonly from: number; readonly at: Value; readonly masks: TextMasks } & Pick<SuffixOptions, 'tap'>,
): Value {
  const pick = (x: Value): Value => rowsAt(x, at);
  return projectPooled(
    p,
    spec,
    inside(() => encodePooled(p.in('text_model'), spec, hidden, { from, pick, masks, tap })),
  );
}

/** Which position of each text is read. @param ids integers [B, T] @returns int32 [B] */
export function pooledPositions(spec: TextSpec, ids: Tensor): Tensor {
  const [batch, length] = ids.shape;
  const at = (row: number[]): number => {
    if (spec.pooling === 'first') return 0;
    if (spec.pooling === 'last') return length - 1;
    if (spec.pooling === 'argmax') return row.indexOf(Math.max(...row));
    // As an arg-max of an all-false mask: the first token where the id is not there.
    return Math.max(0, row.indexOf(spec.eos_token_id ?? -1));
  };
  const rows = Array.from({ length: batch }, (_, b) => Array.from(ids.data.subarray(b * length, (b + 1) * length) as Int32Array, Number));
  return ints([batch], Int32Array.from(rows, at));
}
