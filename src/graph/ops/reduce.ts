/** @file Reductions over axes: sum, mean, max; and compositions of them. */
import type { Dim } from '../dims.ts';
import { apply1, axisOf, defineOp, misfit, type OpDefinition, type Value } from '../value.ts';
import { add, div, equal, maximum, mul, sub } from './arithmetic.ts';
import { cast, size, stopGradient } from './constants.ts';
import { broadcastTo, reshape } from './shape.ts';
import { exp, log, sqrt } from './unary.ts';

const all = (x: Value): number[] => x.shape.map((_, i) => i);

function reduction(
  name: string,
  onnx: string,
  derivative: (g: Value, x: Value, kept: Value, axes: readonly number[]) => Value,
): OpDefinition {
  return defineOp({
    name,
    infer([x], a) {
      const axes = a.axes as number[];
      const shape: Dim[] = a.keep ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) : x.shape.filter((_, i) => !axes.includes(i));
      return [{ dtype: x.dtype, shape }];
    },
    lower(node, emit) {
      const axes = node.attributes.axes as number[];
      const keepdims = node.attributes.keep ? 1 : 0;
      const [x] = emit.inputs(node);
      if (axes.length === 0) return [x];
      return [emit.node(onnx, [x, emit.int64(axes)], { attributes: { keepdims } })];
    },
    vjp(node, [g]) {
      const [x] = node.inputs;
      const axes = node.attributes.axes as number[];
      const keptShape = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
      return [derivative(reshape(g!, keptShape), x, reshape(node.outputs[0], keptShape), axes)];
    },
  });
}

const sumOp = reduction('sum', 'ReduceSum', (g, x) => broadcastTo(g, x.shape, x));
const meanOp = reduction('mean', 'ReduceMean', (g, x, _, axes) => broadcastTo(div(g, size(x, axes)), x.shape, x));
// The gradient goes to the maxima, in equal parts where several are equal, as PyTorch's amax does.
const maxOp = reduction('max', 'ReduceMax', (g, x, y, axes) => {
  const hit = cast(equal(x, broadcastTo(y, x.shape, x)), x.dtype);
  return mul(hit, div(g, sum(hit, axes, true)));
});

function reduce(op: OpDefinition, x: Value, axes: number | readonly number[] | undefined, keep: boolean): Value {
  const list = (axes === undefined ? all(x) : typeof axes === 'number' ? [axes] : [...axes])
    .map(axis => axisOf(op.name, x, axis))
    .sort((a, b) => a - b);
  if (new Set(list).size < list.length) throw misfit(op.name, [x], `the axes [${list}] name one axis twice.`);
  return apply1(op, [x], { axes: list, keep });
}

/** Sum over `axes` (all by default). */
export const sum = (x: Value, axes?: number | readonly number[], keep = false): Value => reduce(sumOp, x, axes, keep);
/** Mean over `axes` (all by default). */
export const mean = (x: Value, axes?: number | readonly number[], keep = false): Value => reduce(meanOp, x, axes, keep);
/** Maximum over `axes` (all by default). */
export const max = (x: Value, axes?: number | readonly number[], keep = false): Value => reduce(maxOp, x, axes, keep);

/** ln Σ eˣ over one axis, shifted by the maximum so that it cannot overflow. */
export function logSumExp(x: Value, axis: number, keep = false): Value {
  const top = stopGradient(max(x, axis, true));
  const kept = add(log(sum(exp(sub(x, top)), axis, true)), top);
  return keep ? kept : sum(kept, axis);
}

/**
 * Euclidean norm over the last axis, kept as size 1. Squares below 1e-36 count as 1e-36, so a vector of zeros has the norm 1e-18 and a
 * gradient of zero instead of NaN (1e-36 keeps clear of float32's subnormal numbers, which some processors flush).
 */
export const norm = (x: Value): Value => sqrt(maximum(sum(mul(x, x), -1, true), 1e-36));

/** x / ‖x‖ over the last axis; zeros stay zeros. */
export const normalise = (x: Value): Value => div(x, norm(x));
