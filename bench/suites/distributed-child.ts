/**
 * @file A rank whose clock distributed.ts reads. usage: distributed-child.ts train|together|all-reduce OUT.json DIRECTORY THREADS
 * Rank 0 writes `{"seconds": …}`: per update of a small CLIP (two micro-batches, or one whose rows are shared), or per all-reduce of 20 MB.
 */
import { rm, writeFile } from 'node:fs/promises';
import { openRanks } from '../../src/node/mpi/open-ranks.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { clipTrainingSchema } from '../../src/tuning/clip/arguments.ts';
import { trainClip } from '../../src/tuning/clip/train.ts';

/** Updates that are timed, after some that are not: graphs are compiled, batches drawn ahead. */
const [WARM, TIMED] = [3, 8];
const FLOATS = 5_000_000;

const [mode, out, directory, threads] = process.argv.slice(2);
const ranks = await openRanks();
const seconds: number[] = [];
if (mode === 'train' || mode === 'together') {
  await rm(directory, { recursive: true, force: true });
  await ranks?.barrier();
  const steps = WARM + TIMED;
  let last = 0;
  const args = clipTrainingSchema.parse({
    ...{
      output_dir: directory,
      max_steps: steps,
      save_steps: steps,
      logging_steps: steps,
      eval_steps: steps,
      eval_samples: 4,
      report_to: ['jsonl'],
    },
    ...(mode === 'train'
      ? { per_device_train_batch_size: 32, gradient_accumulation_steps: 2 }
      : { per_device_train_batch_size: 64, gradient_accumulation_steps: 1 }),
    num_threads: Number(threads),
  });
  await trainClip(args, {
    ranks,
    onProgress(step) {
      const now = performance.now();
      if (step > WARM) seconds.push((now - last) / 1000);
      last = now;
    },
  });
} else {
  const data = new Float32Array(FLOATS).fill(1);
  for (let i = 0; i < WARM + TIMED; i++) {
    const from = performance.now();
    await ranks?.allReduce(data);
    if (i >= WARM) seconds.push((performance.now() - from) / 1000);
  }
}
if ((ranks?.rank ?? 0) === 0) await writeFile(out, JSON.stringify({ seconds: median(seconds) }));
await ranks?.close();
process.exit(0);
