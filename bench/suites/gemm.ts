/** @file The machine's rate of float32 matrix products of the shapes that a ViT-B/32's MLP has, through our engine and PyTorch's. */
import { compile, constant, input, matmul } from '../../src/graph/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { floats } from '../../src/tensor/tensor.ts';
import { interleave, type Side } from '../rounds.ts';
import type { Context, Suite } from '../suite.ts';

const [M, D, INNER] = [500, 768, 3072];
/** Pairs of products in one graph, each with weights of its own (equal ones would be merged): copying in and out counts for little. */
const PAIRS = 3;
/** Runs per measurement, about a second at 200 GFLOP/s. */
const RUNS = 12;
const GFLOP = (PAIRS * 2 * 2 * M * D * INNER) / 1e9;

/** A compiled chain of products; `rate` runs it `runs` times and gives GFLOP/s. */
export interface GemmRate extends AsyncDisposable {
  rate(runs?: number): Promise<number>;
}

/** x [500, 768] through 768 → 3072 → 768 three times, weights laid out in advance. */
export async function gemmRate(threads: number): Promise<GemmRate> {
  const runtime = nodeRuntime({ threads });
  const random = new RandomStream(0, 'bench.gemm');
  const normal = (sample: number, shape: [number, number], scale: number) =>
    floats(
      shape,
      random.normals(0, sample, new Float32Array(shape[0] * shape[1])).map(v => v * scale),
    );
  let y = input('x', [M, D]);
  for (let i = 0; i < PAIRS; i++) {
    y = matmul(y, constant(normal(2 * i + 1, [D, INNER], D ** -0.5)));
    y = matmul(y, constant(normal(2 * i + 2, [INNER, D], INNER ** -0.5)));
  }
  const graph = await compile(runtime, { y });
  const x = normal(0, [M, D], 1);
  let consumed = 0;
  const run = async (): Promise<void> => {
    consumed += Number((await graph.run({ x })).y.data[0]);
  };
  await run();
  return {
    async rate(runs = RUNS) {
      const from = performance.now();
      for (let i = 0; i < runs; i++) await run();
      const seconds = (performance.now() - from) / 1000;
      if (!Number.isFinite(consumed)) throw new Error('The products are not finite.');
      return (GFLOP * runs) / seconds;
    },
    [Symbol.asyncDispose]: () => graph.release(),
  };
}

async function run({ peer, threads, ...context }: Context) {
  await using ours = await gemmRate(threads);
  const sides: Side[] = [{ name: 'ours', run: () => ours.rate() }];
  if (peer) {
    sides.push({
      name: 'torch.mm',
      async run() {
        const reply = await peer.ask({
          cmd: 'gemm',
          shapes: [
            [M, D, INNER],
            [M, INNER, D],
          ],
          seconds: 0.5,
        });
        const rates = (reply.gflops as { median: number }[]).map(r => r.median);
        // Equal work in both shapes: the rate of the two together is their harmonic mean.
        return rates.length / rates.reduce((sum, r) => sum + 1 / r, 0);
      },
    });
  }
  const { ours: values, ...rivals } = await interleave(sides, context);
  return { rows: [{ name: 'sgemm', unit: 'GFLOP/s' as const, values, rivals }] };
}

/** See the file's head. */
export const gemm: Suite = { name: 'gemm', about: `Matrix products ${M}×${D}×${INNER} and ${M}×${INNER}×${D}, float32.`, run };
