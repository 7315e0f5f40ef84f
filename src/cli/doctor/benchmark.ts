/** @file A benchmark of about five seconds: matrix products through the engine, and a forward pass of the shipped model. */
import { compile, input, matmul } from '../../graph/index.ts';
import { loadModel } from '../../models/pretrained.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { floats } from '../../tensor/tensor.ts';
import type { Context } from '../command.ts';

/** Figures of the benchmark; the best of all repetitions, since other work can only slow them down. */
export interface Benchmark {
  /** 10⁹ multiplications and additions a second, float32. */
  readonly gflops: number;
  /** Side of the square matrices. */
  readonly size: number;
  readonly forward?: { readonly model: string; readonly seconds: number };
}

const SIZE = 1024;
/** Seconds per part. */
const BUDGET = 2.3;

/** Best time of one call in seconds, repeated for `BUDGET`; the first call is not counted. */
async function best(context: Context, work: () => Promise<unknown>): Promise<number> {
  await work();
  let least = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + BUDGET * 1000; performance.now() < end; ) {
    context.signal.throwIfAborted();
    const from = performance.now();
    await work();
    least = Math.min(least, (performance.now() - from) / 1000);
  }
  return least;
}

/** Runs the benchmark. @param model a shipped model for the forward pass */
export async function benchmark(context: Context, model?: string): Promise<Benchmark> {
  context.status('Measuring matrix products');
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);
  const square = floats([SIZE, SIZE], data);
  const [a, b] = [input('a', [SIZE, SIZE]), input('b', [SIZE, SIZE])];
  // Four products in a row: copying in and out counts for little.
  let c = matmul(a, b);
  for (let i = 0; i < 3; i++) c = matmul(c, b);
  const runtime = nodeRuntime();
  const graph = await compile(runtime, { c });
  const seconds = await best(context, () => graph.run({ a: square, b: square }));
  await graph.release();
  await runtime.release();
  const gflops = (4 * 2 * SIZE ** 3) / seconds / 1e9;
  if (model === undefined) return { gflops, size: SIZE };
  context.status(`Measuring ${model}`);
  await using clip = await loadModel(model, { signal: context.signal });
  const { image_size: size, num_channels: channels } = clip.config.vision_config;
  const pixelValues = floats([1, channels, size, size], new Float32Array(channels * size * size));
  const { inputIds } = clip.requireTokenizer().encodeBatch(['a dog'], { maxLength: clip.maxTextLength });
  const forward = await best(context, () => clip.forward({ pixelValues, inputIds }));
  return { gflops, size: SIZE, forward: { model, seconds: forward } };
}
