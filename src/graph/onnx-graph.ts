/** @file An ONNX graph as data, before it is written as bytes (onnx.ts): what lowering makes of traced values. */
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from './dims.ts';

/** Where a frozen weight's bytes stand: `offset` bytes into `file` (a real path), `length` bytes. */
export interface ExternalData {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** Integer, text, integers, or a float marked as one. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** One ONNX node, names given. */
export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant, held here or in a weight file. */
export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly content: Uint8Array | ExternalData;
}

/** Name, type and shape of a graph input or output. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** An ONNX graph before it is written as bytes. */
export interface OnnxGraph {
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxTensor[];
  readonly inputs: OnnxValueInfo[];
  readonly outputs: OnnxValueInfo[];
}
