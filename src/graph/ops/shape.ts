/** @file Ops that move elements without changing them: reshape, transpose, broadcast, slice, pad, concatenate. */
import {
  addDims,
  broadcastShapes,
  canonicalShape,
  type Dim,
  isStatic,
  mulDims,
  normaliseAxis,
  type Shape,
  sameShape,
  showShape,
} from '../dims.ts';
import { type Attributes, apply1, axisOf, defineOp, misfit, type Value } from '../value.ts';
import { unbroadcast } from './arithmetic.ts';

const reshapeOp = defineOp({
  name: 'reshape',
  infer([x], a) {
    const from = mulDims(x.shape);
    const to = mulDims(a.shape as Shape);
    if (from !== to) throw new Error(`${showShape(x.shape)} has ${from} elements, ${showShape(a.shape as Shape)} has ${to}.`);
    return [{ dtype: x.dtype, shape: a.shape as Shape }];
  },
  lower(node, emit) {
    const [x] = node.inputs;
    const shape = node.attributes.shape as Shape;
    // 0 copies the input's size at the same place and -1 takes the rest; only what is left needs the runtime's sizes.
    const open = shape.flatMap((d, i) => (typeof d === 'string' && d !== x.shape[i] ? [i] : []));
    if (open.length > 1) return [emit.node('Reshape', [emit.of(x), emit.shape(shape)])];
    return [emit.node('Reshape', [emit.of(x), emit.int64(shape.map((d, i) => (typeof d === 'number' ? d : open.includes(i) ? -1 : 0)))])];
  },
  vjp: (node, [g]) => [reshape(g!, node.inputs[0].shape)],
});

/** The same elements in another shape. Named dimensions may be merged (`batch*seq`) and split again. */
export function reshape(x: Value, shape: Shape): Value {
  const to = canonicalShape(shape);
  return sameShape(x.shape, to) ? x : apply1(reshapeOp, [x], { shape: to });
}

const transposeOp = defineOp({
  name: 'transpose',
  infer([x], a) {
    const perm = a.perm as number[];
    if ([...perm].sort((p, q) => p - q).some((p, i) => p !== i) || perm.length !== x.shape.length)
      throw new Error(`[${perm}] is not a permutation of ${x.shape.length} axes.`);
    return [{ dtype: x.dtype, shape: perm.map(p => x.shape[p]) }];
  },
  lower: (node, emit) => [emit.node('Transpose', emit.inputs(node), { attributes: { perm: node.attributes.perm as number[] } })],
  vjp(node, [g]) {
    const perm = node.attributes.perm as number[];
    return [
      transpose(
        g!,
        perm.map((_, i) => perm.indexOf(i)),
      ),
    ];
  },
});

/** Axes in another order; without `perm` the last two are swapped. */
export function transpose(x: Value, perm?: readonly number[]): Value {
  const rank = x.shape.length;
  const order = perm ?? [...Array(rank).keys()].map(i => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
  return order.length === rank && order.every((p, i) => p === i) ? x : apply1(transposeOp, [x], { perm: order });
}

const broadcastOp = defineOp({
  name: 'broadcastTo',
  infer([x], a) {
    const shape = a.shape as Shape;
    const joint = broadcastShapes(x.shape, shape);
    if (!joint || !sameShape(joint, shape)) throw new Error(`${showShape(x.shape)} does not broadcast to ${showShape(shape)}.`);
    return [{ dtype: x.dtype, shape }];
  },
  lower: (node, emit) => [emit.node('Expand', [emit.of(node.inputs[0]), emit.shape(node.attributes.shape as Shape)])],
  vjp: (node, [g]) => [unbroadcast(g!, node.inputs[0].shape)],
});

/** Repeats axes of size 1 (and missing leading axes) to `shape`. `like` makes sure that named dimensions can be found when running. */
export function broadcastTo(x: Value, shape: Shape, like?: Value): Value {
  const to = canonicalShape(shape);
  return sameShape(x.shape, to) ? x : apply1(broadcastOp, like && !isStatic(to) ? [x, like] : [x], { shape: to });
}

const sliceOp = defineOp({
  name: 'slice',
  infer([x], a) {
    const { axis, start, end } = a as { axis: number; start: number; end?: number };
    if (!Number.isInteger(start) || !Number.isInteger(end ?? 0)) throw new Error(`the bounds ${start} and ${end} must be whole numbers.`);
    const size = x.shape[axis];
    const [from, to] = bounds(x, a);
    const length = addDims([to, mulDims([-1, from])]);
    const outside = typeof size === 'number' && ((from as number) < 0 || (to as number) > size);
    if (outside || (typeof length === 'number' && length <= 0))
      throw new Error(`[${start}, ${end ?? 'end'}) is empty or outside of axis ${axis} with size ${size}.`);
    return [{ dtype: x.dtype, shape: x.shape.map((d, i) => (i === axis ? length : d)) }];
  },
  lower(node, emit) {
    const { axis, start, end } = node.attributes as { axis: number; start: number; end?: number };
    return [emit.node('Slice', [emit.of(node.inputs[0]), emit.int64([start]), emit.int64([end ?? 2 ** 31]), emit.int64([axis])])];
  },
  vjp(node, [g]) {
    const [x] = node.inputs;
    return [apply1(padLikeOp, [g!, x], { axis: node.attributes.axis, before: bounds(x, node.attributes)[0] })];
  },
});

/** Both ends of a slice, counted from the front. */
function bounds(x: Value, a: Attributes): [Dim, Dim] {
  const { axis, start, end } = a as { axis: number; start: number; end?: number };
  const size = x.shape[axis];
  const fromFront = (at: number): Dim => (at < 0 ? addDims([size, at]) : at);
  return [fromFront(start), end === undefined ? size : fromFront(end)];
}

/**
 * Elements [start, end) of one axis; both may be negative (counted from the end), `end` may be left out. On an axis of a named size
 * the length becomes an expression such as `seq+-1`; the caller vouches that the bounds lie inside.
 */
export function slice(x: Value, axis: number, start: number, end?: number): Value {
  const at = axisOf('slice', x, axis);
  return start === 0 && (end === undefined || end === x.shape[at]) ? x : apply1(sliceOp, [x], { axis: at, start, end });
}

// Transpose of slice: g set into zeros of `like`'s shape along one axis, from `before` on. Further inputs only tell named sizes.
const padLikeOp = defineOp({
  name: 'padLike',
  infer: ([g, like]) => [{ dtype: g.dtype, shape: like.shape }],
  lower(node, emit) {
    const [g, like] = node.inputs;
    const { axis, before } = node.attributes as { axis: number; before: Dim };
    const [inner, outer] = [g.shape[axis], like.shape[axis]];
    const length = (v: Value): string => emit.node('Shape', [emit.of(v)], { attributes: { start: axis, end: axis + 1 } });
    let pads: string;
    if (typeof inner === 'number' && typeof outer === 'number' && typeof before === 'number')
      pads = emit.int64([before, outer - inner - before]);
    else {
      const start = emit.dim(before);
      const after = emit.node('Sub', [emit.node('Sub', [length(like), length(g)]), start]);
      pads = emit.node('Concat', [start, after], { attributes: { axis: 0 } });
    }
    return [emit.node('Pad', [emit.of(g), pads, emit.scalar(0, g.dtype), emit.int64([axis])])];
  },
  vjp(node, [h]) {
    const [g, , ...sizes] = node.inputs;
    return [apply1(sliceLikeOp, [h!, g, ...sizes], node.attributes)];
  },
});

// Transpose of padLike: as many elements of h as `like` has along the axis, from `before` on. Further inputs only tell named sizes.
const sliceLikeOp = defineOp({
  name: 'sliceLike',
  infer: ([h, like]) => [{ dtype: h.dtype, shape: like.shape }],
  lower(node, emit) {
    const [h, like] = node.inputs;
    const { axis, before } = node.attributes as { axis: number; before: Dim };
    const length = like.shape[axis];
    const start = emit.dim(before);
    const end =
      typeof length === 'number' && typeof before === 'number'
        ? emit.int64([before + length])
        : emit.node('Add', [start, emit.node('Shape', [emit.of(like)], { attributes: { start: axis, end: axis + 1 } })]);
    return [emit.node('Slice', [emit.of(h), start, end, emit.int64([axis])])];
  },
  vjp(node, [k]) {
    const [h, , ...sizes] = node.inputs;
    return [apply1(padLikeOp, [k!, h, ...sizes], node.attributes)];
  },
});

const concatOp = defineOp({
  name: 'concat',
  infer(inputs, a) {
    const axis = a.axis as number;
    const [first] = inputs;
    for (const x of inputs) {
      if (x.dtype !== first.dtype) throw new Error(`the types ${first.dtype} and ${x.dtype} differ; cast one.`);
      if (x.shape.length !== first.shape.length || x.shape.some((d, i) => i !== axis && d !== first.shape[i]))
        throw new Error(`all but axis ${axis} must agree.`);
    }
    return [{ dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? addDims(inputs.map(x => x.shape[i])) : d)) }];
  },
  lower: (node, emit) => [emit.node('Concat', emit.inputs(node), { attributes: { axis: node.attributes.axis as number } })],
  vjp(node, [g], wanted) {
    const axis = node.attributes.axis as number;
    return node.inputs.map((x, i) => {
      if (!wanted[i]) return undefined;
      const earlier = node.inputs.slice(0, i);
      const sizes = earlier.filter(v => typeof v.shape[axis] === 'string');
      return apply1(sliceLikeOp, [g!, x, ...sizes], { axis, before: addDims(earlier.map(v => v.shape[axis])) });
    });
  },
});

/** Joins values along an axis, whose sizes (named or not) add up. @throws GraphError for an empty list. */
export function concat(values: readonly Value[], axis: number): Value {
  if (values.length === 0) throw misfit('concat', [], 'there is nothing to join.');
  const at = axisOf('concat', values[0], axis);
  return values.length === 1 ? values[0] : apply1(concatOp, values, { axis: at });
}

/** Adds an axis of size 1. */
export function unsqueeze(x: Value, axis: number): Value {
  const rank = x.shape.length + 1;
  if (axis < -rank || axis >= rank) throw misfit('unsqueeze', [x], `axis ${axis} is out of range for a result of rank ${rank}.`);
  const at = normaliseAxis(axis, rank);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Removes an axis of size 1. @throws GraphError when its size is not 1. */
export function squeeze(x: Value, axis: number): Value {
  const at = axisOf('squeeze', x, axis);
  if (x.shape[at] !== 1) throw misfit('squeeze', [x], `axis ${axis} has the size ${x.shape[at]}, not 1.`);
  return reshape(
    x,
    x.shape.filter((_, i) => i !== at),
  );
}
