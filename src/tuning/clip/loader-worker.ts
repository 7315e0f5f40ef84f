/** @file The thread that draws batches; see loader.ts. */
import { serveBatches } from '../batch-server.ts';
import { type Batch, sceneBatch } from './batch.ts';
import { ChestBatches, type ChestBatchSettings } from './chest-batch.ts';
import { rowsOf } from './gathered.ts';
import type { BatchSource } from './loader.ts';
import { PairBatches } from './pair-batch.ts';

serveBatches<BatchSource>(source => {
  const { rows } = source;
  if ('pairs' in source) {
    const batches = new PairBatches(source.pairs);
    return (step, note) => batches.batch(step, note, rows);
  }
  const draw = 'chests' in source ? drawChests(source.chests) : (step: number) => sceneBatch(source.world, source.settings, step);
  return step => (rows ? rowsOf(draw(step), rows) : draw(step));
});

function drawChests(settings: ChestBatchSettings): (step: number) => Batch {
  const chests = new ChestBatches(settings);
  return step => chests.batch(step);
}
