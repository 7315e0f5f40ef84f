/** @file Picking rows and elements by index, the sums that are their transposes, and arg-max. */
import type { Shape } from '../dims.ts';
import { apply1, axisOf, defineOp, type Value } from '../value.ts';
import { transpose } from './shape.ts';

const gatherOp = defineOp({
  name: 'gather',
  infer([x, indices], a) {
    if (indices.dtype !== 'int32' && indices.dtype !== 'int64') throw new Error('indices must be integers.');
    const axis = a.axis as number;
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }];
  },
  lower: (node, emit) => [emit.node('Gather', emit.inputs(node), { attributes: { axis: node.attributes.axis as number } })],
  vjp(node, [g]) {
    const [x, indices] = node.inputs;
    const axis = node.attributes.axis as number;
    const rank = x.shape.length;
    // Bring the gathered axes to the front, add rows, and move the axis back.
    const width = indices.shape.length;
    const order = [...Array(g!.shape.length).keys()];
    const gathered = order.slice(axis, axis + width);
    const front = transpose(g!, [...gathered, ...order.filter(i => !gathered.includes(i))]);
    const rows = apply1(scatterRowsOp, [indices, front, x], { axis });
    const back = [...Array(rank).keys()].map(i => (i === axis ? 0 : i < axis ? i + 1 : i));
    return [transpose(rows, back), undefined];
  },
});

/** Slices of `x` along `axis` at integer `indices` of any shape, which replaces that axis: an embedding look-up for axis 0. */
export const gather = (x: Value, indices: Value, axis = 0): Value => apply1(gatherOp, [x, indices], { axis: axisOf('gather', x, axis) });

/**
 * Rows of a table by id.
 * @param table [V, D]
 * @param ids integers [...]
 * @returns [..., D]
 */
export const embedding = (table: Value, ids: Value): Value => gather(table, ids, 0);

// out[indices[i]] += updates[i]; `like` tells the shape: its gathered axis comes first.
const scatterRowsOp = defineOp({
  name: 'scatterRows',
  infer([, updates, like], a) {
    const axis = a.axis as number;
    return [{ dtype: updates.dtype, shape: [like.shape[axis], ...like.shape.filter((_, i) => i !== axis)] }];
  },
  lower(node, emit) {
    const [indices, updates] = emit.inputs(node);
    const { dtype, shape } = node.outputs[0];
    // ScatterND's addition races between threads in ONNX Runtime 1.30 (tested); ScatterElements runs on one
    // (2000 rows of 128 into a table of 500: 1.0–1.7 ms, where a one-hot product takes 1.9–4.1 ms; into CLIP's 49 408 × 512: 80–90 ms,
    // most of it writing 100 MB of zeros). It wants matrices here:
    // rows of updates, and each row's index repeated along it.
    const matrix = emit.node(
      'Concat',
      [emit.dim(shape[0]), emit.node('ReduceProd', [emit.shape(shape.length > 1 ? shape.slice(1) : [1])])],
      { attributes: { axis: 0 } },
    );
    const zeros = emit.node('Expand', [emit.scalar(0, dtype), matrix]);
    const width = emit.node('Shape', [zeros], { attributes: { start: 1, end: 2 } });
    const rows = emit.node('Reshape', [updates, emit.node('Concat', [emit.int64([-1]), width], { attributes: { axis: 0 } })]);
    const column = emit.node('Reshape', [indices, emit.int64([-1, 1])]);
    const repeated = emit.node('Expand', [column, emit.node('Shape', [rows])]);
    const added = emit.node('ScatterElements', [zeros, repeated, rows], { attributes: { axis: 0, reduction: 'add' } });
    return [emit.node('Reshape', [added, emit.shape(shape)])];
  },
  vjp: (node, [g]) => [undefined, gather(g!, node.inputs[0], 0), undefined],
});

const takeOp = defineOp({
  name: 'takeAlongAxis',
  infer([x, indices], a) {
    const axis = a.axis as number;
    const fits = indices.shape.length === x.shape.length && indices.shape.every((d, i) => i === axis || d === x.shape[i]);
    if (indices.dtype !== 'int32' && indices.dtype !== 'int64') throw new Error('indices must be integers.');
    if (!fits) throw new Error('indices must have the shape of the values but for the chosen axis.');
    return [{ dtype: x.dtype, shape: indices.shape }];
  },
  lower: (node, emit) => [emit.node('GatherElements', emit.inputs(node), { attributes: { axis: node.attributes.axis as number } })],
  vjp: (node, [g]) => [apply1(scatterElementsOp, [node.inputs[1], g!, node.inputs[0]], node.attributes), undefined],
});

// Transpose of takeAlongAxis: elements added into zeros of `like`'s shape.
const scatterElementsOp = defineOp({
  name: 'scatterElements',
  infer: ([, updates, like]) => [{ dtype: updates.dtype, shape: like.shape }],
  lower(node, emit) {
    const [indices, updates] = emit.inputs(node);
    const zeros = emit.node('Expand', [emit.scalar(0, node.inputs[1].dtype), emit.shape(node.outputs[0].shape)]);
    return [
      emit.node('ScatterElements', [zeros, indices, updates], { attributes: { axis: node.attributes.axis as number, reduction: 'add' } }),
    ];
  },
  vjp: (node, [g]) => [undefined, apply1(takeOp, [g!, node.inputs[0]], node.attributes), undefined],
});

/** Elements of `x` along `axis` at `indices`, which has the shape of `x` but for that axis (torch.gather). */
export const takeAlongAxis = (x: Value, indices: Value, axis = -1): Value =>
  apply1(takeOp, [x, indices], { axis: axisOf('takeAlongAxis', x, axis) });

const argMaxOp = defineOp({
  name: 'argMax',
  infer: ([x], a) => [{ dtype: 'int32', shape: x.shape.filter((_, i) => i !== a.axis) as Shape }],
  lower: (node, emit) => [
    emit.node('Cast', [emit.node('ArgMax', emit.inputs(node), { attributes: { axis: node.attributes.axis as number, keepdims: 0 } })], {
      attributes: { to: 6 },
    }),
  ],
  constant: true,
});

/** Index of the first maximum along an axis (int32); no gradient. */
export const argMax = (x: Value, axis = -1): Value => apply1(argMaxOp, [x], { axis: axisOf('argMax', x, axis) });
