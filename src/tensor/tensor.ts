/** @file A host tensor: a shape and a flat, row-major typed array. */
import { allocate, type DType, type TypedArray } from './dtype.ts';

/** Host tensor, row-major. `data.length` equals the product of `shape`; a scalar has shape `[]`. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** A tensor whose data is known to be `Float32Array`. */
export interface FloatTensor extends Tensor {
  readonly dtype: 'float32';
  readonly data: Float32Array;
}

/** Number of elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Wraps `data` without copying. @throws RangeError when the length does not match the shape. */
export function tensor(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
  if (data.length !== sizeOf(shape)) throw new RangeError(`${data.length} values do not fill a tensor of shape [${shape.join(', ')}].`);
  return { dtype, shape, data };
}

/** float32 tensor from numbers (a `Float32Array` is wrapped, not copied). */
export function floats(shape: readonly number[], data: ArrayLike<number>): FloatTensor {
  return tensor('float32', shape, data instanceof Float32Array ? data : Float32Array.from(data)) as FloatTensor;
}

/** Tensors one after the other along their first axis; one part is given back as it is, uncopied. All but the first length must agree. */
export function joinFloats(parts: readonly FloatTensor[]): FloatTensor {
  if (parts.length === 1) return parts[0];
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return floats([parts.reduce((sum, { shape }) => sum + shape[0], 0), ...parts[0].shape.slice(1)], data);
}

/** int32 tensor from numbers (an `Int32Array` is wrapped, not copied). */
export function ints(shape: readonly number[], data: ArrayLike<number>): Tensor {
  return tensor('int32', shape, data instanceof Int32Array ? data : Int32Array.from(data));
}

/** Zero-filled tensor. */
export const zeros = (dtype: DType, shape: readonly number[]): Tensor => ({ dtype, shape, data: allocate(dtype, sizeOf(shape)) });

/** The data of a float32 tensor. @throws TypeError for another type. */
export function asFloats(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  throw new TypeError(`expected a float32 tensor, got ${t.dtype}.`);
}
