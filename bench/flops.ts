/** @file The arithmetic of one M2IB step (docs/architecture.md): multiplications and additions, counted from a config. */
import type { EncoderConfig } from '../src/nn/encoder.ts';

/** Floating-point operations of one step, 10⁹. */
export interface StepFlops {
  /** The products over all rows of the full blocks above the gate: what the mathematics cannot avoid; 14.2 for ViT-B/32 at block 9. */
  readonly rows: number;
  /** With the attention products and the last block's rows of the pooled tokens. */
  readonly all: number;
}

/**
 * A step of S samples of N tokens with the gate on block `layer` (0-based): forward, and the gradient with regard to activations, which
 * costs as much again. A full block multiplies R = S·N rows by 4 D² + 2 D·I weights; the last one only its S pooled rows.
 */
export function stepFlops(config: EncoderConfig, layer: number, tokens: number, samples: number): StepFlops {
  const { hidden_size: d, intermediate_size: inner, num_hidden_layers: blocks, num_attention_heads: heads } = config;
  const full = Math.max(0, blocks - 1 - (layer + 1));
  const pooled = layer + 1 < blocks ? 1 : 0;
  const rows = samples * tokens;
  const weights = 4 * d * d + 2 * d * inner;
  const byRows = full * rows * weights;
  const attention = full * 2 * rows * tokens * d;
  const last = pooled * (samples * weights + 2 * rows * heads * d);
  // Forward and backward, two operations per multiply–add.
  const giga = (multiplyAdds: number): number => (multiplyAdds * 2 * 2) / 1e9;
  return { rows: giga(byRows), all: giga(byRows + attention + last) };
}
