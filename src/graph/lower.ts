/**
 * @file Lowering: walks a traced graph once, merges equal nodes, and lets each op emit its ONNX nodes. Value and node names are
 * numbered afresh, so the same trace always gives the same bytes (and hash).
 */
import { DTYPES, type DType } from '../tensor/dtype.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { type Dim, type Shape, showShape } from './dims.ts';
import { type Attributes, type ExternalData, GraphError, type Node, nodesOf, type Value } from './value.ts';

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly content: Uint8Array | ExternalData;
}

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

/** Handed to an op's `lower`: names of values, and ways to add nodes and constants. */
export class Emitter {
  readonly graph: OnnxGraph = { nodes: [], initializers: [], inputs: [], outputs: [] };
  private readonly names = new Map<Value, string>();
  private readonly merged = new Map<Value, Value>();
  private readonly constants = new Map<string, string>();
  private readonly emitted = new Map<string, string>();
  private readonly dimSources = new Map<string, [value: string, axis: number]>();
  private readonly taken = new Set<string>();
  private counter = 0;
  private scope = '';

  /** Name of an already lowered value's ONNX tensor. */
  of(value: Value): string {
    const name = this.names.get(this.merged.get(value) ?? value);
    if (name === undefined) throw new GraphError(`${value.node.op.name} was not lowered before its use.`);
    return name;
  }

  /** Names of all inputs of a node. */
  inputs(node: Node): string[] {
    return node.inputs.map(v => this.of(v));
  }

  /** A name nobody has. */
  fresh(prefix = 't'): string {
    return `${prefix}${this.counter++}`;
  }

  /** Reserves a name (graph inputs, weights). @throws GraphError when taken. */
  claim(name: string): string {
    if (this.taken.has(name)) throw new GraphError(`Two different inputs or weights of one graph are called "${name}".`);
    this.taken.add(name);
    return name;
  }

  /** Adds an ONNX node and returns the name of its first output. */
  node(
    opType: string,
    inputs: readonly string[],
    options: { outputs?: readonly string[]; attributes?: Record<string, OnnxAttribute>; domain?: string } = {},
  ): string {
    const { outputs, attributes = {}, domain = '' } = options;
    const key = outputs ? '' : JSON.stringify([opType, domain, inputs, attributes]);
    const known = key && this.emitted.get(key);
    if (known) return known;
    const results = outputs ?? [this.fresh()];
    if (key) this.emitted.set(key, results[0]);
    this.graph.nodes.push({
      opType,
      domain,
      name: `${this.scope}${this.scope ? '/' : ''}${opType}_${this.graph.nodes.length}`,
      inputs,
      outputs: results,
      attributes,
    });
    return results[0];
  }

  /** A constant tensor; equal small ones are shared. */
  constant(t: Tensor): string {
    const bytes = new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
    const key = bytes.length <= 256 ? `${t.dtype}${showShape(t.shape)}${bytes.join()}` : '';
    const known = key && this.constants.get(key);
    if (known) return known;
    const name = this.fresh('c');
    this.graph.initializers.push({ name, dtype: t.dtype, shape: t.shape, content: bytes });
    if (key) this.constants.set(key, name);
    return name;
  }

  /** An int64 vector, as ONNX wants axes and shapes. */
  int64(values: readonly number[]): string {
    return this.constant(tensor('int64', [values.length], BigInt64Array.from(values.map(v => BigInt(v)))));
  }

  /** A scalar of a float type. */
  scalar(value: number, dtype: DType = 'float32'): string {
    return this.constant(tensor(dtype, [], new DTYPES[dtype].array([value as never]) as Tensor['data']));
  }

  /** The size of a dimension as an int64 tensor of shape [1]. @throws GraphError when no value of the graph has that dimension. */
  dim(dim: Dim): string {
    if (typeof dim === 'number') return this.int64([dim]);
    const source = this.dimSources.get(dim);
    if (!source) throw new GraphError(`No input of the graph tells the size of the dimension "${dim}".`);
    const shape = this.node('Shape', [source[0]], { attributes: { start: source[1], end: source[1] + 1 } });
    return shape;
  }

  /** A shape as an int64 vector, computed when running where it has names. */
  shape(shape: Shape): string {
    if (shape.every(d => typeof d === 'number')) return this.int64(shape as number[]);
    const parts: string[] = [];
    let run: number[] = [];
    for (const d of shape) {
      if (typeof d === 'number') {
        run.push(d);
        continue;
      }
      if (run.length) parts.push(this.int64(run));
      run = [];
      parts.push(this.dim(d));
    }
    if (run.length) parts.push(this.int64(run));
    return parts.length === 1 ? parts[0] : this.node('Concat', parts, { attributes: { axis: 0 } });
  }

  /** Lowers every node that `outputs` need. @internal */
  run(outputs: Readonly<Record<string, Value>>): OnnxGraph {
    const seen = new Map<string, Node>();
    for (const node of nodesOf(Object.values(outputs))) {
      const inputs = node.inputs.map(v => this.merged.get(v) ?? v);
      const key = nodeKey(node, inputs);
      const twin = seen.get(key);
      if (twin) {
        node.outputs.forEach((v, i) => this.merged.set(v, twin.outputs[i]));
        continue;
      }
      seen.set(key, node);
      this.scope = node.scope;
      const names = node.op.lower(node, this);
      node.outputs.forEach((v, i) => {
        if (names[i] === undefined) return;
        this.names.set(v, names[i]);
        this.learnDims(v, names[i]);
      });
    }
    for (const [name, value] of Object.entries(outputs)) {
      this.scope = 'output';
      this.node('Identity', [this.of(value)], { outputs: [name] });
      this.graph.outputs.push({ name, dtype: value.dtype, shape: value.shape });
    }
    return this.graph;
  }

  private learnDims(value: Value, name: string): void {
    value.shape.forEach((d, axis) => {
      if (typeof d === 'string' && !this.dimSources.has(d)) this.dimSources.set(d, [name, axis]);
    });
  }
}

const objectIds = new WeakMap<object, number>();
let nextObjectId = 0;

/** Identity of a node's computation for merging; large tensors count by identity. */
function nodeKey(node: Node, inputs: readonly Value[]): string {
  const attributes = Object.entries(node.attributes as Attributes).map(([k, v]) => {
    if (typeof v !== 'object' || Array.isArray(v)) return [k, v];
    const data = (v as Tensor).data;
    if (data && data.length <= 16) return [k, (v as Tensor).dtype, (v as Tensor).shape, Array.from(data as Float32Array, String)];
    let id = objectIds.get(v);
    if (id === undefined) objectIds.set(v, (id = nextObjectId++));
    return [k, `#${id}`];
  });
  return JSON.stringify([node.op.name, inputs.map(v => [v.node.id, v.index]), attributes]);
}
