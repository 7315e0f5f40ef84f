/** @file Loss of a LLaVA on held-out conversations. */
import type { CompiledGraph } from '../../graph/index.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import type { ChatReader, ChatSample } from './chat-reader.ts';
import { supervisedTokens } from './token-feeds.ts';
import { lossDivisor } from './update-batch.ts';

/** What an evaluation runs on. */
export interface EvaluationGraphs {
  /** A graph with the outputs `ce` and whatever a bottleneck logs, for batches with images or without. */
  graph(images: boolean): Promise<CompiledGraph>;
  /** What is fed besides the batch: weights, and what a bottleneck takes for a batch of this shape. */
  feeds(rows: number, length: number): Feeds;
}

/**
 * `eval_loss`: cross-entropy in nats, mean over all supervised tokens; what a bottleneck logs, mean over batches by their rows.
 * Samples of like length stand in a batch; the order is always the same.
 * @throws NarrowsError naming a sample that cannot be read
 */
export async function evaluateFile(
  { graph, feeds }: EvaluationGraphs,
  reader: ChatReader,
  samples: readonly ChatSample[],
  batchSize: number,
): Promise<Record<string, number>> {
  const encoded = samples.map(sample => reader.encode(sample));
  const order = [...samples.keys()].sort((a, b) => encoded[a].ids.length - encoded[b].ids.length || a - b);
  const sums: Record<string, number> = {};
  let [loss, tokens] = [0, 0];
  for (let from = 0; from < order.length; from += batchSize) {
    const chosen = order.slice(from, from + batchSize);
    const rows = chosen.map(i => encoded[i]);
    const batch = await reader.feeds(
      chosen.map(i => samples[i]),
      rows,
    );
    const count = supervisedTokens(rows);
    const compiled = await graph('pixel_values' in batch);
    const out = await compiled.run({ ...feeds(chosen.length, batch.labels.shape[1]), ...batch, loss_divisor: lossDivisor([count]) });
    for (const [name, { data }] of Object.entries(out)) {
      if (name === 'ce') loss += Number(data[0]) * count;
      else sums[name] = (sums[name] ?? 0) + (Number(data[0]) * chosen.length) / samples.length;
    }
    tokens += count;
  }
  const figures = Object.entries(sums).map(([name, value]) => [`eval_${name}`, value]);
  return { eval_loss: loss / Math.max(1, tokens), ...Object.fromEntries(figures) };
}
