/** @file The thread that draws batches; see loader.ts. */
import { serveBatches } from '../batch-server.ts';
import { sceneBatch } from './batch.ts';
import type { BatchSource } from './loader.ts';
import { PairBatches } from './pair-batch.ts';

serveBatches<BatchSource>(source => {
  if ('world' in source) return step => sceneBatch(source.world, source.settings, step);
  const batches = new PairBatches(source.pairs);
  return (step, note) => batches.batch(step, note);
});
