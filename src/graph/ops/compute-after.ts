/** @file A value that is computed later than the graph's data would ask for: how recomputation is put off until it is needed. */

import { DTYPES } from '../../tensor/dtype.ts';
import { isStatic } from '../dims.ts';
import { apply1, defineOp, type Value } from '../value.ts';

const computeAfterOp = defineOp({
  name: 'computeAfter',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  // Zero elements of each of the others are appended: the runtime must have them, and no number is touched (0·NaN would be NaN).
  lower(node, emit) {
    const [x, ...others] = node.inputs;
    const line = (v: Value): string => (v.shape.length === 1 ? emit.of(v) : emit.node('Reshape', [emit.of(v), emit.int64([-1])]));
    const nothing = (v: Value): string => {
      const empty = emit.node('Slice', [line(v), emit.int64([0]), emit.int64([0])]);
      return v.dtype === x.dtype ? empty : emit.node('Cast', [empty], { attributes: { to: DTYPES[x.dtype].onnx } });
    };
    const joined = emit.node('Concat', [line(x), ...others.map(nothing)], { attributes: { axis: 0 } });
    const shape = isStatic(x.shape) ? emit.int64(x.shape) : emit.node('Shape', [emit.of(x)]);
    return [x.shape.length === 1 ? joined : emit.node('Reshape', [joined, shape])];
  },
  vjp: (_, [g]) => [g],
});

/** `x` to the bit, but computed only when all the others are (a copy of x in memory). */
export const computeAfter = (x: Value, others: readonly Value[]): Value => (others.length ? apply1(computeAfterOp, [x, ...others]) : x);
