/** @file Loss of a LLaVA on held-out conversations. */
import type { CompiledGraph } from '../../graph/index.ts';
import { fileStamps } from '../../node/file-stamps.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import type { BatchFigures, Exam, ExamBatch } from '../evaluation.ts';
import type { ChatReader, ChatSample } from './chat-reader.ts';
import { lossCount } from './loss-average.ts';
import { lossDivisor } from './update-batch.ts';

/** What an evaluation runs on. */
export interface EvaluationGraphs {
  /** A graph with the outputs `ce` and whatever a bottleneck logs, for batches with images or without. */
  graph(images: boolean): Promise<CompiledGraph>;
  /** What is fed besides the batch: weights, and what a bottleneck takes for a batch of this shape. */
  feeds(rows: number, length: number): Feeds;
}

/**
 * `eval_loss`: cross-entropy in nats, mean over all supervised tokens (or answers, as the format's `lossAverage` says); what a bottleneck logs, mean over batches by their rows.
 * Samples of like length stand in a batch; the order is always the same. A picture that cannot be read fails its batch.
 * @param hash of the file of conversations
 * @throws NarrowsError naming a sample that has no tokens
 */
export async function fileExam(
  { graph, feeds }: EvaluationGraphs,
  reader: ChatReader,
  samples: readonly ChatSample[],
  batchSize: number,
  hash: string,
): Promise<Exam> {
  await reader.prepare(samples);
  const encoded = samples.map(sample => reader.encode(sample));
  const order = [...samples.keys()].sort((a, b) => encoded[a].ids.length - encoded[b].ids.length || a - b);
  const batches: ExamBatch[] = [];
  for (let from = 0; from < order.length; from += batchSize) {
    const chosen = order.slice(from, from + batchSize);
    const files = await fileStamps(chosen.flatMap(i => samples[i].images));
    batches.push({
      units: chosen.length,
      key: JSON.stringify([hash, files]),
      async compute() {
        const rows = chosen.map(i => encoded[i]);
        const batch = await reader.feeds(
          chosen.map(i => samples[i]),
          rows,
        );
        const count = lossCount(rows, reader.format.lossAverage);
        const compiled = await graph('pixel_values' in batch);
        const out = await compiled.run({ ...feeds(chosen.length, batch.labels.shape[1]), ...batch, loss_divisor: lossDivisor([count]) });
        const figures = Object.entries(out).map(([name, { data }]) => [name, [Number(data[0])]]);
        return { ...Object.fromEntries(figures), [TOKENS]: [count], [ROWS]: [chosen.length] };
      },
    });
  }
  return { name: 'the validation file', batches, figures };
}

/** Names of a batch's counts: supervised tokens (or answers), samples. */
const [TOKENS, ROWS] = ['supervised tokens', 'rows'];

function figures(results: readonly BatchFigures[]): Record<string, number> {
  const samples = results.reduce((sum, result) => sum + result[ROWS][0], 0);
  const sums: Record<string, number> = {};
  let [loss, tokens] = [0, 0];
  for (const {
    [TOKENS]: [count],
    [ROWS]: [rows],
    ce: [ce],
    ...others
  } of results) {
    loss += ce * count;
    tokens += count;
    for (const [name, [value]] of Object.entries(others)) sums[`eval_${name}`] = (sums[`eval_${name}`] ?? 0) + (value * rows) / samples;
  }
  return { eval_loss: loss / Math.max(1, tokens), ...sums };
}
