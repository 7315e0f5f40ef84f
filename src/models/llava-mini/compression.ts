/** @file Query-based compression of an image's tokens (LLaVA-Mini, arXiv 2501.03895, section 4.1, eq. 2). */
import {
  add,
  constant,
  layerNorm,
  linear,
  matmul,
  mean,
  reshape,
  scope,
  slice,
  softmax,
  transpose,
  type Value,
} from '../../graph/index.ts';
import { project } from '../../nn/attention.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { floats } from '../../tensor/tensor.ts';
import { COMPRESSOR_HEADS, compressedTokens, compressorWidth, type LlavaMiniConfig, visionGrid } from './config.ts';

/** What compression gives. */
export interface Compressed {
  /** [I, C², width as the input] */
  readonly tokens: Value;
  /** A [I, C², N²]: how much of each vision token a query takes (the mean over heads in the checkpoint's form); rows sum to 1 */
  readonly attention: Value;
}

/**
 * 2-D sine positions of a square grid (He et al. 2021), [side², width] row by row: the first half of the width tells the column, the second
 * the row, each as sines and then cosines of x · 10000^(−4i/width), i < width/4.
 * @param width a multiple of 4
 */
export function sinePositions(side: number, width: number): Float32Array {
  const quarter = width / 4;
  const table = new Float32Array(side * side * width);
  for (let place = 0; place < side * side; place++) {
    const coordinates = [place % side, Math.floor(place / side)];
    for (const [half, x] of coordinates.entries())
      for (let i = 0; i < quarter; i++) {
        const at = place * width + half * 2 * quarter + i;
        const angle = x * 10000 ** (-i / quarter);
        table[at] = Math.sin(angle);
        table[at + quarter] = Math.cos(angle);
      }
  }
  return table;
}

/** Weights [to, from] of bicubic resizing of a line (Keys' kernel with a = −0.75, pixel centres, edges repeated: torch's `bicubic`). */
function cubicWeights(from: number, to: number): Float64Array[] {
  const a = -0.75;
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return Array.from({ length: to }, (_, i) => {
    const row = new Float64Array(from);
    const centre = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre);
    const t = centre - first;
    for (const [offset, weight] of [far(t + 1), near(t), near(1 - t), far(2 - t)].entries())
      row[Math.min(from - 1, Math.max(0, first - 1 + offset))] += weight;
    return row;
  });
}

/** [to², from²]: bicubic resizing of a square table, row by row, as one matrix. */
export function resizeMatrix(from: number, to: number): Float32Array {
  const line = cubicWeights(from, to);
  const matrix = new Float32Array(to * to * from * from);
  for (let place = 0; place < to * to; place++)
    for (let source = 0; source < from * from; source++)
      matrix[place * from * from + source] = line[Math.floor(place / to)][Math.floor(source / from)] * line[place % to][source % from];
  return matrix;
}

/**
 * Compression in the form that the config names.
 *
 * `paper`, from the paper only: Ĥ = A·H, A = softmax((Q + PE(Q))·(H + PE(H))ᵀ), over vision tokens H behind the projector; C² learnable
 * queries, one head, no scale, no projections. Not in the paper, chosen here: PE is the 2-D sine table of He et al. 2021 (which it cites) in
 * whole-number coordinates of each grid (C × C for Q, N × N for H), and the name `query`.
 *
 * `checkpoint`, from the official code's module names, shapes and behaviour, as two public forks carry them (that the projector stands
 * behind the compressor is also its issue 32): `query` and `pos_embed` [C², D], `ln_q`, `ln_kv`, and `attn`, an 8-head attention with
 * projections, of the tower's width D; PE(H) is `pos_embed` resized bicubically to N × N. With C = 1, as published, that table is the same
 * at every place: this form then has no positions, and the order of the patches does not count.
 *
 * The published weights were not opened, so nothing was compared with them. Initial queries: N(0, 0.02²) in the official code; the paper
 * gives none.
 * @param p the whole model's scope
 * @param features [I, N², `compressorWidth`]: projected in the paper's form, the tower's in the other
 */
export function compress(p: Parameters, config: LlavaMiniConfig, features: Value): Compressed {
  const form = config.llava_mini_form === 'paper' ? similarity : resampler;
  return scope('model.compressor', () => form(p.in('model.compressor'), config, features));
}

function similarity(p: Parameters, config: LlavaMiniConfig, features: Value): Compressed {
  const width = compressorWidth(config);
  const placed = (x: Value, side: number): Value => add(x, constant(floats([side * side, width], sinePositions(side, width))));
  const queries = placed(p.get('query', [compressedTokens(config), width]), config.compressor_size);
  const attention = softmax(matmul(queries, placed(features, visionGrid(config)), { transB: true }));
  return { tokens: matmul(attention, features), attention };
}

function resampler(p: Parameters, config: LlavaMiniConfig, features: Value): Compressed {
  const width = compressorWidth(config);
  const [queries, side, grid] = [compressedTokens(config), config.compressor_size, visionGrid(config)];
  const norm = (name: string, x: Value): Value =>
    scope(name, () => layerNorm(x, p.get(`${name}.weight`, [width]), p.get(`${name}.bias`, [width])));
  // The official training lets this table learn too.
  const positions = p.get('pos_embed', [queries, width]);
  const resize = constant(floats([grid * grid, queries], resizeMatrix(side, grid)));
  const values = norm('ln_kv', features);
  const keys = add(values, side === grid ? positions : matmul(resize, positions));
  const asked = reshape(add(norm('ln_q', p.get('query', [queries, width])), positions), [1, queries, width]);
  return scope('attn', () => {
    const [weight, bias] = [p.get('attn.in_proj_weight', [3 * width, width]), p.get('attn.in_proj_bias', [3 * width])];
    const heads = (x: Value, part: number): Value => {
      const [from, to] = [part * width, (part + 1) * width];
      const projected = linear(x, slice(weight, 0, from, to), slice(bias, 0, from, to));
      return transpose(reshape(projected, [x.shape[0], x.shape[1], COMPRESSOR_HEADS, width / COMPRESSOR_HEADS]), [0, 2, 1, 3]);
    };
    const scores = matmul(heads(asked, 0), heads(keys, 1), { transB: true, alpha: (width / COMPRESSOR_HEADS) ** -0.5 });
    const attention = softmax(scores);
    const context = transpose(matmul(attention, heads(values, 2)), [0, 2, 1, 3]);
    const joined = reshape(context, [features.shape[0], queries, width]);
    return { tokens: project(p.in('attn'), 'out_proj', joined, width), attention: mean(attention, 1) };
  });
}
