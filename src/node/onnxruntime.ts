/** @file ONNX Runtime's native binding; `src/runtime/node.ts` makes a `Runtime` of it. */
export { env, InferenceSession, Tensor } from 'onnxruntime-node';
