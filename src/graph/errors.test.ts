/** @file Mistakes name the op, the place in the model, and what was given. */
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { floats, ints, type Tensor } from '../tensor/tensor.ts';
import {
  add,
  argMax,
  broadcastTo,
  cast,
  clip,
  compile,
  concat,
  div,
  erf,
  exp,
  fill,
  GraphError,
  gather,
  gelu,
  grad,
  input,
  layerNorm,
  linear,
  lower,
  matmul,
  mul,
  patchify,
  reshape,
  scalar,
  scope,
  slice,
  softmax,
  squeeze,
  stopGradient,
  sum,
  takeAlongAxis,
  transpose,
  unsqueeze,
  type Value,
  weight,
  where,
} from './index.ts';
import { apply1, defineOp, ops } from './value.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

const x = input('x', ['batch', 3, 4]);
const layer = <T>(body: () => T): T => scope('vision_model', () => scope('encoder.layers.8', body));

describe('tracing', () => {
  const mistakes: Record<string, [() => Value, RegExp]> = {
    add: [
      () => add(x, input('b', [5])),
      /^add at vision_model\.encoder\.layers\.8: .*\[5\] do not broadcast\. Inputs: float32\[batch, 3, 4\], float32\[5\]\.$/,
    ],
    'add of two types': [() => add(x, cast(x, 'float64')), /^add at .*float32 and float64 differ/],
    where: [() => where(x, 1, 2), /^where at .*boolean/],
    matmul: [() => matmul(x, input('b', [5, 2])), /^matmul at .*inner sizes 4 and 5/],
    'matmul of a vector': [() => matmul(x, input('b', [4])), /^matmul at .*at least two axes/],
    linear: [() => linear(x, input('w', [7, 5])), /^linear at .*\[7, 5\] does not fit an input whose last axis is 4/],
    layerNorm: [() => layerNorm(x, input('w', [5]), input('b', [4])), /^layerNorm at .*size of the last axis, 4/],
    softmax: [() => softmax(x, 3), /^softmax at .*axis 3 is out of range.*rank 3.*float32\[batch, 3, 4\]/],
    sum: [() => sum(x, [0, 0]), /^sum at .*one axis twice/],
    'sum of a missing axis': [() => sum(x, -4), /^sum at .*axis -4 is out of range/],
    reshape: [() => reshape(x, [12]), /^reshape at .*\[batch, 3, 4\] has 12\*batch elements, \[12\] has 12/],
    transpose: [() => transpose(x, [0, 1]), /^transpose at .*not a permutation of 3 axes/],
    broadcastTo: [() => broadcastTo(x, [3, 4]), /^broadcastTo at .*does not broadcast/],
    slice: [() => slice(x, 2, 3, 5), /^slice at .*outside of axis 2 with size 4/],
    squeeze: [() => squeeze(x, 1), /^squeeze at .*size 3, not 1/],
    unsqueeze: [() => unsqueeze(x, 5), /^unsqueeze at .*out of range/],
    concat: [() => concat([x, input('b', ['batch', 3])], 0), /^concat at .*must agree/],
    'concat of nothing': [() => concat([], 0), /^concat at .*nothing to join/],
    gather: [() => gather(x, x), /^gather at .*integers/],
    takeAlongAxis: [() => takeAlongAxis(x, input('i', ['batch', 2, 1], 'int64')), /^takeAlongAxis at .*shape of the values/],
    argMax: [() => argMax(x, 9), /^argMax at .*out of range/],
    patchify: [() => patchify(input('p', ['batch', 3, 8, 8]), 9), /^patchify at .*no patch of size 9/],
    weight: [() => weight('w', 'float16', [2, 2], { file: '/m.safetensors', offset: 0, length: 16 }), /^weight at .*takes 8 bytes, but 16/],
    'input of bfloat16': [() => input('h', [2], 'bfloat16'), /^input at .*"h": .*no bfloat16 inputs/],
    'erf in float64': [() => erf(cast(x, 'float64')), /^erf at .*float32 only/],
    'gelu in float64': [() => gelu(cast(x, 'float64')), /^gelu at .*float32 only/],
    'grad of a vector': [() => grad(x, [x])[0], /grad needs a scalar, got shape \[batch, 3, 4\]/],
    'grad of an integer': [() => grad(sum(argMax(x)), [x])[0], /grad needs a float scalar, got int32/],
  };
  it.each(Object.entries(mistakes))('%s', (_, [build, message]) => {
    expect(() => layer(build)).toThrow(GraphError);
    expect(() => layer(build)).toThrow(message);
  });

  // The registry is that of all tests in this process.
  afterAll(() => void (ops as Map<string, unknown>).delete('roundForTest'));

  it('a missing gradient rule names the op and its place', () => {
    const round = defineOp({
      name: 'roundForTest',
      infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
      lower: (node, emit) => [emit.node('Round', emit.inputs(node))],
    });
    const y = layer(() => apply1(round, [x]));
    expect(() => grad(sum(y), [x])).toThrow(/^The op roundForTest at vision_model\.encoder\.layers\.8 has no gradient rule/);
    // Where no gradient must pass it is no mistake.
    expect(grad(add(sum(stopGradient(y)), sum(x)), [x])[0].shape).toEqual(x.shape);
  });

  it('scopes end with an error inside them', () => {
    expect(() => scope('a', () => layer(mistakes.softmax[0]))).toThrow(/softmax at a\.vision_model/);
    expect(exp(x).node.scope).toBe('');
  });

  it('whole numbers stay whole', () => {
    expect(() => mul(input('i', [2], 'int32'), 0.5)).toThrow(/0\.5 is not a whole number, as int32 needs/);
    expect(() => scalar(0.5, 'int64')).toThrow(/not a whole number/);
  });
});

describe('lowering and compiling', () => {
  it('names a dimension nothing tells the size of', () => {
    const y = layer(() => mul(fill(['tokens', 2], 1), input('v', [2])));
    expect(() => lower({ y })).toThrow(
      /fill at vision_model\.encoder\.layers\.8: no input of the graph tells the size of the dimension "tokens"/,
    );
  });

  it('refuses names that clash', () => {
    expect(() => lower({ y: add(input('a', [2]), sum(input('a', [3]))) })).toThrow(/Two different inputs or weights .* "a"/);
    expect(() => lower({ x: exp(x) })).toThrow(/output "x" has the name of an input/);
    expect(() => lower({ y: exp(input('t#1', [2])) })).toThrow(/"t#1" has the form reserved/);
    expect(lower({ y: add(input('a', [2]), input('a', [2])) }).inputs.length).toBe(1);
    for (const name of ['t0', 'c1', 'v2']) expect(lower({ [`${name}.out`]: exp(input(name, [2])) }).inputs[0].name).toBe(name);
  });

  it('refuses outputs that the runtime cannot return', () => {
    expect(() => lower({ y: cast(x, 'bfloat16') })).toThrow(/output "y" is bfloat16.*cast it/);
  });

  it('the runtime names the node it has no kernel for', async () => {
    const y = layer(() => clip(cast(x, 'bool'), 0, 1));
    await expect(compile(runtime, { y })).rejects.toThrow(/vision_model\.encoder\.layers\.8\/Clip/);
  });

  it('a failing run names the node, forward and backward', async () => {
    const [table, ids] = [input('table', [3, 2]), input('ids', ['n'], 'int64')];
    const y = layer(() => gather(table, ids));
    await using forward = await compile(runtime, { y });
    const feeds = { table: floats([3, 2], [1, 2, 3, 4, 5, 6]), ids: { dtype: 'int64', shape: [1], data: BigInt64Array.of(3n) } as Tensor };
    await expect(forward.run(feeds)).rejects.toThrow(/vision_model\.encoder\.layers\.8\/Gather/);
    await using backward = await compile(runtime, { g: grad(sum(y), [table])[0] });
    await expect(backward.run(feeds)).rejects.toThrow(/grad\(vision_model\.encoder\.layers\.8\)\/ScatterElements/);
    // The session is still good.
    expect((await forward.run({ ...feeds, ids: { dtype: 'int64', shape: [1], data: BigInt64Array.of(2n) } })).y.data).toEqual(
      Float32Array.of(5, 6),
    );
  });
});

describe('feeding', () => {
  const y = div(sum(mul(x, input('w', ['batch', 1, 1])), [1, 2]), 2);
  const good = { x: floats([2, 3, 4], new Float32Array(24)), w: floats([2, 1, 1], [1, 2]) };
  const wrong: Record<string, [Record<string, Tensor | undefined>, string]> = {
    missing: [{ x: undefined }, 'The input "x" (float32[batch, 3, 4]) was not fed.'],
    type: [{ x: ints([2, 3, 4], new Int32Array(24)) }, 'The input "x" must be float32[batch, 3, 4], but int32[2, 3, 4] was fed.'],
    rank: [{ x: floats([24], new Float32Array(24)) }, 'The input "x" must be float32[batch, 3, 4], but float32[24] was fed.'],
    size: [{ x: floats([2, 4, 3], new Float32Array(24)) }, 'The input "x" must be float32[batch, 3, 4], but float32[2, 4, 3] was fed.'],
    'a name with two sizes': [
      { w: floats([3, 1, 1], [1, 2, 3]) },
      'The input "w" must be float32[batch, 1, 1], but float32[3, 1, 1] was fed, while batch is 2 in the input "x".',
    ],
    'too few elements': [
      { x: { dtype: 'float32', shape: [2, 3, 4], data: new Float32Array(5) } },
      'The input "x" must be float32[batch, 3, 4], but float32[2, 3, 4] was fed with 5 elements.',
    ],
  };
  it.each(Object.entries(wrong))('%s', async (_, [feed, message]) => {
    await using compiled = await compile(runtime, { y });
    await expect(compiled.run({ ...good, ...feed } as Record<string, Tensor>)).rejects.toThrow(message);
    await expect(compiled.run({ ...good, more: floats([1], [0]) })).resolves.toHaveProperty('y');
  });

  it('an unknown output', async () => {
    await using compiled = await compile(runtime, { y });
    await expect(compiled.run(good, { outputs: ['z'] })).rejects.toThrow('The graph has no output "z"; it has y.');
    await expect(compiled.run(good, { into: { z: good.w } })).rejects.toThrow(/no output "z"/);
  });

  it('`into` must fit', async () => {
    await using compiled = await compile(runtime, { y });
    await expect(compiled.run(good, { into: { y: floats([3], [0, 0, 0]) } })).rejects.toThrow(/output y has 3 elements, not 2/);
    await expect(compiled.run(good, { into: { y: { dtype: 'float64', shape: [2], data: new Float64Array(2) } } })).rejects.toThrow(
      /is float64, not float32/,
    );
    const mine = floats([2], [7, 7]);
    const out = await compiled.run(good, { into: { y: mine }, outputs: ['y'] });
    expect(out.y).toBe(mine);
    expect(mine.data).toEqual(new Float32Array(2));
  });
});
