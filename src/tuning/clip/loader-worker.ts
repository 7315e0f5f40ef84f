/** @file The thread that draws batches; see loader.ts. */
import { serveBatches } from '../batch-server.ts';
import { sceneBatch } from './batch.ts';
import { ChestBatches } from './chest-batch.ts';
import type { BatchSource } from './loader.ts';
import { PairBatches } from './pair-batch.ts';

serveBatches<BatchSource>(source => {
  if ('world' in source) return step => sceneBatch(source.world, source.settings, step);
  if ('chests' in source) {
    const chests = new ChestBatches(source.chests);
    return step => chests.batch(step);
  }
  const batches = new PairBatches(source.pairs);
  return (step, note) => batches.batch(step, note);
});
