/** @file Element types, named as in safetensors/torch, and the typed arrays that hold them on the host. */

/** Types a graph value can have. `float16` and `bfloat16` live on the host as raw 16-bit words (`Uint16Array`). */
export type DType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'uint8' | 'bool';

/** Host arrays that tensors stand on. */
export type TypedArray = Float32Array | Float64Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array;

/** For each type: bytes per element, the host array, and the number ONNX's `TensorProto.DataType` gives it. */
export const DTYPES = {
  float32: { bytes: 4, array: Float32Array, onnx: 1 },
  uint8: { bytes: 1, array: Uint8Array, onnx: 2 },
  int32: { bytes: 4, array: Int32Array, onnx: 6 },
  int64: { bytes: 8, array: BigInt64Array, onnx: 7 },
  bool: { bytes: 1, array: Uint8Array, onnx: 9 },
  float16: { bytes: 2, array: Uint16Array, onnx: 10 },
  float64: { bytes: 8, array: Float64Array, onnx: 11 },
  bfloat16: { bytes: 2, array: Uint16Array, onnx: 16 },
} as const;

/** A new zero-filled host array of `size` elements. */
export function allocate(dtype: DType, size: number): TypedArray {
  return new DTYPES[dtype].array(size);
}

const scratch = new DataView(new ArrayBuffer(4));

/** IEEE 754 half precision (raw bits) to number. */
export function halfToFloat(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 (raw bits) to number: the upper half of a float32. */
export function bfloatToFloat(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}
