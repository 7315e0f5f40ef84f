/** @file The thread that draws batches of conversations; see loader.ts. */
import { serveBatches } from '../batch-server.ts';
import { FileBatches, type FileBatchSettings } from './file-batch.ts';

serveBatches<FileBatchSettings>(async settings => {
  const batches = await FileBatches.open(settings);
  return (step, note) => batches.batch(step, note);
});
