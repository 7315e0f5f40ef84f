/** @file Softmax and its logarithm over one axis. */
import { apply1, axisOf, defineOp, type Value } from '../value.ts';
import { mul, sub } from './arithmetic.ts';
import { sum } from './reduce.ts';
import { exp } from './unary.ts';

const softmaxOp = defineOp({
  name: 'softmax',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  lower: (node, emit) => [emit.node('Softmax', emit.inputs(node), { attributes: { axis: node.attributes.axis as number } })],
  // dx = y(g − Σ g·y)
  vjp(node, [g]) {
    const y = node.outputs[0];
    return [mul(y, sub(g!, sum(mul(g!, y), node.attributes.axis as number, true)))];
  },
});

const logSoftmaxOp = defineOp({
  name: 'logSoftmax',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  lower(node, emit) {
    const axis = node.attributes.axis as number;
    if (!emit.webgpu) return [emit.node('LogSoftmax', emit.inputs(node), { attributes: { axis } })];
    // WebGPU has no kernel for it: the logits would go to the host and back.
    const [x] = emit.inputs(node);
    const over = (op: string, of: string): string => emit.node(op, [of, emit.int64([axis])], { attributes: { keepdims: 1 } });
    const below = emit.node('Sub', [x, over('ReduceMax', x)]);
    return [emit.node('Sub', [below, emit.node('Log', [over('ReduceSum', emit.node('Exp', [below]))])])];
  },
  // dx = g − eʸ Σ g
  vjp: (node, [g]) => [sub(g!, mul(exp(node.outputs[0]), sum(g!, node.attributes.axis as number, true)))],
});

/** eˣ / Σ eˣ over one axis (the last by default). */
export const softmax = (x: Value, axis = -1): Value => apply1(softmaxOp, [x], { axis: axisOf('softmax', x, axis) });

/** ln softmax over one axis (the last by default), without overflow. */
export const logSoftmax = (x: Value, axis = -1): Value => apply1(logSoftmaxOp, [x], { axis: axisOf('logSoftmax', x, axis) });
