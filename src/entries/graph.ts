/**
 * @file `narrows/graph`: the differentiable engine. Trace a function, take gradients (of gradients), compile it to ONNX, run it.
 * Ops are plain functions (`linear`, `softmax`, …); `grad` and `compile` do the rest.
 */
export * from '../graph/index.ts';
export { frozenParameters, Parameters, trainableParameters } from '../nn/parameters.ts';
export { nodeRuntime } from '../runtime/node.ts';
export type { CompileOptions, Executable, Feeds, RunOptions, Runtime } from '../runtime/runtime.ts';
export { type WorkerOptions, workerRuntime } from '../runtime/worker.ts';
export type { DType, TypedArray } from '../tensor/dtype.ts';
export { RandomStream } from '../tensor/random.ts';
export { type FloatTensor, floats, ints, type Tensor, tensor } from '../tensor/tensor.ts';
