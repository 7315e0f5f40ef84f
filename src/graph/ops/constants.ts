/** @file Sources of a graph: inputs, frozen weights, constants, filled values, sizes; and `stopGradient`. */
import { DTYPES, type DType } from '../../tensor/dtype.ts';
import { sizeOf, type Tensor, tensor } from '../../tensor/tensor.ts';
import { canonicalShape, isStatic, mulDims, type Shape, showShape } from '../dims.ts';
import { scalarTensor } from '../lower.ts';
import type { ExternalData } from '../onnx-graph.ts';
import { apply1, axisOf, defineOp, type Value } from '../value.ts';

const inputOp = defineOp({
  name: 'input',
  infer(_, a) {
    if (a.dtype === 'bfloat16') throw new Error(`"${a.name}": the runtime takes no bfloat16 inputs; feed float32.`);
    return [{ dtype: a.dtype as DType, shape: canonicalShape(a.shape as Shape) }];
  },
  lower(node, emit) {
    const name = emit.claim(node.attributes.name as string);
    emit.graph.inputs.push({ name, dtype: node.outputs[0].dtype, shape: node.outputs[0].shape });
    return [name];
  },
});

/** A graph input, fed at every run. Shapes may hold names. Trainable weights are inputs too. */
export const input = (name: string, shape: Shape, dtype: DType = 'float32'): Value => apply1(inputOp, [], { name, shape, dtype });

const weightOp = defineOp({
  name: 'weight',
  infer(_, a) {
    const { name, dtype, shape, data } = a as { name: string; dtype: DType; shape: number[]; data: ExternalData };
    const bytes = sizeOf(shape) * DTYPES[dtype].bytes;
    if (bytes !== data.length)
      throw new Error(
        `the tensor ${name}, ${dtype}${showShape(shape)}, takes ${bytes} bytes, but ${data.length} are named in ${data.file}.`,
      );
    return [{ dtype: 'float32', shape }];
  },
  lower(node, emit) {
    const { name, dtype, shape, data } = node.attributes as { name: string; dtype: DType; shape: number[]; data: ExternalData };
    const claimed = emit.claim(name);
    emit.graph.initializers.push({ name: claimed, dtype, shape, content: data });
    return [dtype === 'float32' ? claimed : emit.node('Cast', [claimed], { attributes: { to: DTYPES.float32.onnx } })];
  },
});

/** A frozen weight: read by the runtime from its file, never copied in JavaScript. Stored types other than float32 are cast. */
export const weight = (name: string, dtype: DType, shape: readonly number[], data: ExternalData): Value =>
  apply1(weightOp, [], { name, dtype, shape, data });

const constantOp = defineOp({
  name: 'constant',
  infer: (_, a) => [{ dtype: (a.value as Tensor).dtype, shape: (a.value as Tensor).shape }],
  lower: (node, emit) => [emit.constant(node.attributes.value as Tensor)],
});

/** A tensor known when tracing. */
export const constant = (value: Tensor): Value => apply1(constantOp, [], { value });

/** A scalar known when tracing. @throws RangeError for a fraction where the type holds whole numbers. */
export function scalar(value: number, dtype: DType = 'float32'): Value {
  // Half types live on the host as raw bits, so the runtime rounds them.
  return dtype === 'float16' || dtype === 'bfloat16' ? cast(scalar(value), dtype) : constant(scalarTensor(value, dtype));
}

const fillOp = defineOp({
  name: 'fill',
  infer: (_, a) => [{ dtype: a.dtype as DType, shape: canonicalShape(a.shape as Shape) }],
  lower(node, emit) {
    const { value, dtype, shape } = node.attributes as { value: number; dtype: DType; shape: Shape };
    const one = emit.scalar(value, dtype);
    return [shape.length ? emit.node('Expand', [one, emit.shape(shape)]) : one];
  },
  constant: true,
});

/** A value of one number everywhere. `like` only makes sure that named dimensions can be found when running. */
export const fill = (shape: Shape, value: number, dtype: DType = 'float32', like?: Value): Value =>
  apply1(fillOp, like && !isStatic(shape) ? [like] : [], { shape, value, dtype });

const sizeOp = defineOp({
  name: 'size',
  infer: inputs => [{ dtype: inputs[0].dtype, shape: [] }],
  lower(node, emit) {
    const dims = (node.attributes.axes as number[]).map(axis => node.inputs[0].shape[axis]);
    const count = emit.node('ReduceProd', [emit.shape(dims)], { attributes: { keepdims: 0 } });
    return [emit.node('Cast', [count], { attributes: { to: DTYPES[node.outputs[0].dtype].onnx } })];
  },
  constant: true,
});

/** Number of elements along `axes`, as a float scalar: a constant where the sizes are known. */
export function size(x: Value, axes: readonly number[]): Value {
  axes = axes.map(axis => axisOf('size', x, axis));
  const count = mulDims(axes.map(axis => x.shape[axis]));
  return typeof count === 'number' ? scalar(count, x.dtype) : apply1(sizeOp, [x], { axes });
}

const stopOp = defineOp({
  name: 'stopGradient',
  infer: inputs => [{ dtype: inputs[0].dtype, shape: inputs[0].shape }],
  lower: (node, emit) => emit.inputs(node),
  constant: true,
});

/** The same value, through which no gradient passes. */
export const stopGradient = (x: Value): Value => apply1(stopOp, [x]);

const castOp = defineOp({
  name: 'cast',
  infer: (inputs, a) => [{ dtype: a.dtype as DType, shape: inputs[0].shape }],
  lower: (node, emit) => [emit.node('Cast', emit.inputs(node), { attributes: { to: DTYPES[node.attributes.dtype as DType].onnx } })],
  vjp: (node, [g]) => [cast(g!, node.inputs[0].dtype)],
});

/** Another element type. */
export const cast = (x: Value, dtype: DType): Value => (x.dtype === dtype ? x : apply1(castOp, [x], { dtype }));

const iotaOp = defineOp({
  name: 'iota',
  infer: (inputs, a) => [{ dtype: 'int32', shape: [inputs[0].shape[a.axis as number]] }],
  lower(node, emit) {
    const limit = emit.node('Squeeze', [emit.dim(node.outputs[0].shape[0])]);
    const range = emit.node('Range', [
      emit.constant(tensor('int64', [], BigInt64Array.of(0n))),
      limit,
      emit.constant(tensor('int64', [], BigInt64Array.of(1n))),
    ]);
    return [emit.node('Cast', [range], { attributes: { to: DTYPES.int32.onnx } })];
  },
  constant: true,
});

/** 0, 1, 2, … up to the size of `axis` of `x` (int32): positions, masks. */
export const iota = (x: Value, axis: number): Value => apply1(iotaOp, [x], { axis: axisOf('iota', x, axis) });
