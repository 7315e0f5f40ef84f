/** @file The tensor language: everything a model or method is written in. */
export { type CompiledGraph, compile, lower } from './compile.ts';
export { addDims, type Dim, mulDims, type Shape, showShape } from './dims.ts';
export { grad } from './grad.ts';
export * from './ops/activation.ts';
export * from './ops/arithmetic.ts';
export * from './ops/constants.ts';
export * from './ops/dropout.ts';
export * from './ops/indexing.ts';
export * from './ops/losses.ts';
export * from './ops/matmul.ts';
export * from './ops/norm.ts';
export * from './ops/patches.ts';
export * from './ops/positions.ts';
export * from './ops/reduce.ts';
export * from './ops/shape.ts';
export * from './ops/softmax.ts';
export * from './ops/unary.ts';
export { type ExternalData, GraphError, ops, scope, type Value } from './value.ts';
