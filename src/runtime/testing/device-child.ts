/** @file A process that runs a gradient on the device that NARROWS_DEVICE names and prints its values: where drivers lie is read at its start. */
import { compile, grad, input, matmul, mul, softmax, sum } from '../../graph/index.ts';
import { floats } from '../../tensor/tensor.ts';
import { nodeRuntime } from '../node.ts';

const [x, w] = [input('x', [4, 8]), input('w', [8, 8])];
const y = softmax(matmul(x, w, { transB: true }), -1);
const runtime = nodeRuntime();
await using graph = await compile(runtime, { gradient: grad(sum(mul(y, y)), [w])[0] });
const { gradient } = await graph.run({
  x: floats(
    [4, 8],
    Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
  ),
  w: floats(
    [8, 8],
    Float32Array.from({ length: 64 }, (_, i) => Math.cos(i)),
  ),
});
process.stdout.write(JSON.stringify({ name: runtime.name, values: [...gradient.data] }));
