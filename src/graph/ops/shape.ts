/** @file Ops that move elements without changing them: reshape, transpose, broadcast, slice, pad, concatenate. */
import { addDims, broadcastShapes, type Dim, mulDims, normaliseAxis, type Shape, sameShape, showShape } from '../dims.ts';
import { apply1, defineOp, type Value } from '../value.ts';
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
export const reshape = (x: Value, shape: Shape): Value => (sameShape(x.shape, shape) ? x : apply1(reshapeOp, [x], { shape }));

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
  return order.every((p, i) => p === i) ? x : apply1(transposeOp, [x], { perm: order });
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
export const broadcastTo = (x: Value, shape: Shape, like?: Value): Value =>
  sameShape(x.shape, shape) ? x : apply1(broadcastOp, like ? [x, like] : [x], { shape });

const sliceOp = defineOp({
  name: 'slice',
  infer([x], a) {
    const { axis, start, end } = a as { axis: number; start: number; end: number };
    const length = x.shape[axis];
    if (typeof length === 'number' && !(start >= 0 && end <= length && start < end))
      throw new Error(`[${start}, ${end}) is empty or outside of axis ${axis} with size ${length}.`);
    return [{ dtype: x.dtype, shape: x.shape.map((d, i) => (i === axis ? (a.length as Dim) : d)) }];
  },
  lower(node, emit) {
    const { axis, start, end } = node.attributes as { axis: number; start: number; end: number };
    return [emit.node('Slice', [emit.of(node.inputs[0]), emit.int64([start]), emit.int64([end]), emit.int64([axis])])];
  },
  vjp(node, [g]) {
    const { axis, start } = node.attributes as { axis: number; start: number };
    return [apply1(padLikeOp, [g!, node.inputs[0]], { axis, before: start })];
  },
});

/** Elements [start, end) of one axis; `end` may be negative (counted from the end) or left out. */
export function slice(x: Value, axis: number, start: number, end?: number): Value {
  const at = normaliseAxis(axis, x.shape.length);
  const size = x.shape[at];
  if (typeof size === 'number') {
    const stop = end === undefined ? size : end < 0 ? end + size : end;
    const from = start < 0 ? start + size : start;
    return apply1(sliceOp, [x], { axis: at, start: from, end: stop, length: stop - from });
  }
  // A named axis: the length is a number when both ends count from the front (or both from the end), else a name.
  const length: Dim =
    end !== undefined && end >= 0 === start >= 0
      ? end - start
      : start < 0 && end === undefined
        ? -start
        : addDims([size, (end ?? 0) - start]);
  return apply1(sliceOp, [x], { axis: at, start, end: end ?? 2 ** 31, length });
}

// Transpose of slice: g set into zeros of the other input's shape along one axis.
const padLikeOp = defineOp({
  name: 'padLike',
  infer: ([g, like]) => [{ dtype: g.dtype, shape: like.shape }],
  lower(node, emit) {
    const [g, like] = node.inputs;
    const { axis, before } = node.attributes as { axis: number; before: number };
    const zero = emit.scalar(0, g.dtype);
    const fixed = typeof g.shape[axis] === 'number' && typeof like.shape[axis] === 'number';
    const start = before >= 0 ? emit.int64([before]) : emit.node('Add', [emit.dim(like.shape[axis]), emit.int64([before])]);
    const after = fixed
      ? emit.int64([(like.shape[axis] as number) - (g.shape[axis] as number) - before])
      : emit.node('Sub', [
          emit.node('Sub', [
            emit.node('Shape', [emit.of(like)], { attributes: { start: axis, end: axis + 1 } }),
            emit.node('Shape', [emit.of(g)], { attributes: { start: axis, end: axis + 1 } }),
          ]),
          start,
        ]);
    const pads = fixed
      ? emit.int64([before, (like.shape[axis] as number) - (g.shape[axis] as number) - before])
      : emit.node('Concat', [start, after], { attributes: { axis: 0 } });
    return [emit.node('Pad', [emit.of(g), pads, zero, emit.int64([axis])])];
  },
  vjp(node, [h]) {
    const [g] = node.inputs;
    const { axis, before } = node.attributes as { axis: number; before: number };
    return [apply1(sliceLikeOp, [h!, g], { axis, before }), undefined];
  },
});

// Transpose of padLike.
const sliceLikeOp = defineOp({
  name: 'sliceLike',
  infer: ([h, g]) => [{ dtype: h.dtype, shape: g.shape }],
  lower(node, emit) {
    const [h, g] = node.inputs;
    const { axis, before } = node.attributes as { axis: number; before: number };
    const start =
      before >= 0
        ? emit.int64([before])
        : emit.node('Add', [emit.node('Shape', [emit.of(h)], { attributes: { start: axis, end: axis + 1 } }), emit.int64([before])]);
    const end = emit.node('Add', [start, emit.node('Shape', [emit.of(g)], { attributes: { start: axis, end: axis + 1 } })]);
    return [emit.node('Slice', [emit.of(h), start, end, emit.int64([axis])])];
  },
  vjp: (node, [k]) => [apply1(padLikeOp, [k!, node.inputs[0]], node.attributes), undefined],
});

const concatOp = defineOp({
  name: 'concat',
  infer(inputs, a) {
    const axis = a.axis as number;
    const [first] = inputs;
    for (const x of inputs) {
      if (x.dtype !== first.dtype || x.shape.length !== first.shape.length || x.shape.some((d, i) => i !== axis && d !== first.shape[i]))
        throw new Error(`all but axis ${axis} must agree.`);
    }
    return [{ dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? addDims(inputs.map(x => x.shape[i])) : d)) }];
  },
  lower: (node, emit) => [emit.node('Concat', emit.inputs(node), { attributes: { axis: node.attributes.axis as number } })],
  vjp(node, [g], wanted) {
    const axis = node.attributes.axis as number;
    let before = 0;
    return node.inputs.map((x, i) => {
      const start = before;
      if (typeof x.shape[axis] === 'number') before += x.shape[axis] as number;
      else if (i < node.inputs.length - 1 && node.inputs.slice(i + 1).some(y => typeof y.shape[axis] !== 'number'))
        throw new Error('concat: only one input may have a named size along the axis.');
      else before = -node.inputs.slice(i + 1).reduce((n, y) => n + (y.shape[axis] as number), 0);
      return wanted[i] ? apply1(sliceLikeOp, [g!, x], { axis, before: start }) : undefined;
    });
  },
});

/** Joins values along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0] : apply1(concatOp, values, { axis: normaliseAxis(axis, values[0].shape.length) });
}

/** Adds an axis of size 1. */
export function unsqueeze(x: Value, axis: number): Value {
  const at = normaliseAxis(axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Removes an axis of size 1. @throws Error when its size is not 1. */
export function squeeze(x: Value, axis: number): Value {
  const at = normaliseAxis(axis, x.shape.length);
  return reshape(
    x,
    x.shape.filter((_, i) => i !== at),
  );
}
