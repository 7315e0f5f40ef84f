/**
 * @file The traced tensor language: a `Value` is what a `Node` computes from other values. Calling an op's function builds the graph;
 * nothing is computed until the graph is compiled. Ops are rows of one table: shape rule, ONNX lowering, vector–Jacobian product.
 */
import type { DType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Dim, normaliseAxis, type Shape, showShape } from './dims.ts';
import type { ExternalData, OnnxAttribute, OnnxGraph } from './onnx-graph.ts';

/** One result of a node. */
export interface Value {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly node: Node;
  /** Which of the node's outputs. */
  readonly index: number;
}

/** What an op needs besides its inputs. Every entry takes part in the graph's hash. */
export interface Attributes {
  readonly [key: string]: number | string | boolean | readonly number[] | readonly Dim[] | Tensor | ExternalData | undefined;
}

/** An application of an op. `scope` says where in the model it stands. */
export interface Node {
  readonly id: number;
  readonly op: OpDefinition;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  readonly scope: string;
}

/** Type and shape of a result. */
export interface Signature {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Handed to an op's `lower`: names of values, and ways to add nodes and constants. */
export interface Emitter {
  readonly graph: OnnxGraph;
  /** See `Runtime.webgpu`. */
  readonly webgpu: boolean;
  /** Name of an already lowered value's ONNX tensor. */
  of(value: Value): string;
  /** Names of all inputs of a node. */
  inputs(node: Node): string[];
  /** A name nobody has: `#` keeps it apart from the names of inputs, weights and outputs. */
  fresh(prefix?: string): string;
  /** Reserves a name (graph inputs, weights). @throws GraphError when taken. */
  claim(name: string): string;
  /** Adds an ONNX node and returns the name of its first output. */
  node(
    opType: string,
    inputs: readonly string[],
    options?: { outputs?: readonly string[]; attributes?: Record<string, OnnxAttribute>; domain?: string },
  ): string;
  /** A constant tensor; equal small ones are shared. */
  constant(t: Tensor): string;
  /** An int64 vector, as ONNX wants axes and shapes. */
  int64(values: readonly number[]): string;
  /** A scalar. @throws RangeError for a fraction where the type holds whole numbers. */
  scalar(value: number, dtype?: DType): string;
  /**
   * The size of a dimension as an int64 tensor of shape [1]; sums and products of names are computed from their parts.
   * @throws GraphError when no value of the graph has that dimension.
   */
  dim(dim: Dim): string;
  /** A shape as an int64 vector, computed when running where it has names. */
  shape(shape: Shape): string;
}

/** A row of the op table. */
export interface OpDefinition {
  readonly name: string;
  /** Result types and shapes. @throws GraphError on inputs that do not fit. */
  infer(inputs: readonly Value[], attributes: Attributes): Signature[];
  /** Emits the ONNX nodes that compute `node.outputs`; returns the names of the ONNX tensors that hold them. */
  lower(node: Node, emit: Emitter): readonly string[];
  /**
   * Vector–Jacobian product: gradients of the inputs from those of the outputs, as graph values. `wanted[i]` tells whether input i's is
   * needed. Missing: the op is not differentiable (an error that names it when a gradient must pass).
   */
  vjp?(node: Node, gradients: readonly (Value | undefined)[], wanted: readonly boolean[]): (Value | undefined)[];
  /** True when no gradient passes by definition (comparisons, `stopGradient`). */
  readonly constant?: boolean;
}

/** A mistake in building a graph; the message names the op and the place in the model. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}

const registry = new Map<string, OpDefinition>();

/** Adds an op to the table. */
export function defineOp(op: OpDefinition): OpDefinition {
  if (registry.has(op.name)) throw new GraphError(`The op ${op.name} is defined twice.`);
  registry.set(op.name, op);
  return op;
}

/** All ops, by name. Importing `graph/index.ts` fills it. */
export const ops: ReadonlyMap<string, OpDefinition> = registry;

let nextId = 0;
let currentScope = '';

/**
 * Names everything traced inside `body`: scopes nest with dots, as tensor names do (`vision_model.encoder.layers.8`).
 * @param absolute take `name` as it is, whatever stands outside.
 */
export function scope<T>(name: string, body: () => T, absolute = false): T {
  const outer = currentScope;
  currentScope = absolute ? name : outer && name ? `${outer}.${name}` : name || outer;
  try {
    return body();
  } finally {
    currentScope = outer;
  }
}

/** `softmax at vision_model.encoder.layers.8`: how messages name a node. */
export const whereIs = (node: { op: { name: string }; scope: string }): string => `${node.op.name}${node.scope ? ` at ${node.scope}` : ''}`;

/** The error for inputs that do not fit an op, naming the op, the place that is being traced, and the inputs. */
export function misfit(op: string, inputs: readonly Value[], message: string): GraphError {
  const list = inputs.map(v => `${v.dtype}${showShape(v.shape)}`).join(', ');
  return new GraphError(`${whereIs({ op: { name: op }, scope: currentScope })}: ${message} ${list ? `Inputs: ${list}.` : ''}`.trimEnd());
}

/** @throws Error: the runtime has no float64 kernel of the error function, and would name no node when it says so. */
export function notFloat64(x: Value): void {
  if (x.dtype === 'float64') throw new Error('the runtime computes the error function in float32 only; cast the input.');
}

/** An axis of an op's input, counted from the front. @throws GraphError when it is out of range. */
export function axisOf(op: string, x: Value, axis: number): number {
  try {
    return normaliseAxis(axis, x.shape.length);
  } catch (error) {
    throw misfit(op, [x], (error as Error).message);
  }
}

/** Applies an op. @throws GraphError (from the shape rule) with the op's name, its input shapes and the place in the model. */
export function apply(op: OpDefinition, inputs: readonly Value[], attributes: Attributes = {}): Value[] {
  let signatures: Signature[];
  try {
    signatures = op.infer(inputs, attributes);
  } catch (error) {
    throw misfit(op.name, inputs, (error as Error).message);
  }
  const outputs: Value[] = [];
  const node: Node = { id: nextId++, op, inputs, attributes, outputs, scope: currentScope };
  for (const [index, s] of signatures.entries()) outputs.push({ ...s, node, index });
  return outputs;
}

/** Applies an op with one result. */
export const apply1 = (op: OpDefinition, inputs: readonly Value[], attributes?: Attributes): Value => apply(op, inputs, attributes)[0];

/** Every node that `outputs` depend on, in an order in which they can be computed. */
export function nodesOf(outputs: readonly Value[]): Node[] {
  const seen = new Set<Node>();
  const stack = outputs.map(v => v.node);
  while (stack.length) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) stack.push(input.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
