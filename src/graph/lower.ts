/**
 * @file Lowering: walks a traced graph once, merges equal nodes, and lets each op emit its ONNX nodes. Value and node names are
 * numbered afresh, so the same trace always gives the same bytes (and hash).
 */
import { allocate, DTYPES, type DType } from '../tensor/dtype.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { type Dim, dimTerms, isStatic, type Shape, showShape } from './dims.ts';
import type { OnnxAttribute, OnnxGraph } from './onnx-graph.ts';
import { type Attributes, type Emitter, GraphError, type Node, nodesOf, type Value, whereIs } from './value.ts';

/** Lowers one graph: what an op's `lower` is handed, and the walk that calls it. */
export class OnnxEmitter implements Emitter {
  readonly graph: OnnxGraph = { nodes: [], initializers: [], inputs: [], outputs: [] };
  private readonly names = new Map<Value, string>();
  private readonly merged = new Map<Value, Value>();
  private readonly constants = new Map<string, string>();
  private readonly emitted = new Map<string, string>();
  private readonly dimSources = new Map<string, [value: string, axis: number]>();
  private readonly taken = new Set<string>();
  private counter = 0;
  private scope = '';
  private current: Node | undefined;

  /** @param webgpu see `Runtime.webgpu` */
  constructor(readonly webgpu = false) {}

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

  /** A name nobody has: `#` keeps it apart from the names of inputs, weights and outputs. */
  fresh(prefix = 't'): string {
    return `${prefix}#${this.counter++}`;
  }

  /** Reserves a name (graph inputs, weights). @throws GraphError when taken. */
  claim(name: string): string {
    if (this.taken.has(name)) throw new GraphError(`Two different inputs or weights of one graph are called "${name}".`);
    if (/^[a-z]+#\d+$/.test(name)) throw new GraphError(`The name "${name}" has the form reserved for the graph's values; choose another.`);
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

  /** A scalar. @throws RangeError for a fraction where the type holds whole numbers. */
  scalar(value: number, dtype: DType = 'float32'): string {
    // Half types live on the host as raw bits, so the runtime rounds them.
    if (dtype === 'float16' || dtype === 'bfloat16')
      return this.node('Cast', [this.scalar(value, 'float32')], { attributes: { to: DTYPES[dtype].onnx } });
    return this.constant(scalarTensor(value, dtype));
  }

  /**
   * The size of a dimension as an int64 tensor of shape [1]; sums and products of names are computed from their parts.
   * @throws GraphError when no value of the graph has that dimension.
   */
  dim(dim: Dim): string {
    if (typeof dim === 'number') return this.int64([dim]);
    const source = this.dimSources.get(dim);
    if (source) return this.node('Shape', [source[0]], { attributes: { start: source[1], end: source[1] + 1 } });
    const combine = (opType: string, parts: readonly string[]): string => parts.reduce((a, b) => this.node(opType, [a, b]));
    const terms = [...dimTerms(dim)].map(([names, count]) => {
      const parts = names ? names.split('*').map(name => this.atom(name)) : [];
      return combine('Mul', count === 1 && parts.length ? parts : [...parts, this.int64([count])]);
    });
    return combine('Add', terms);
  }

  private atom(name: string): string {
    if (this.dimSources.has(name)) return this.dim(name);
    throw new GraphError(
      `${this.current ? `${whereIs(this.current)}: ` : ''}no input of the graph tells the size of the dimension "${name}".`,
    );
  }

  /** A shape as an int64 vector, computed when running where it has names. */
  shape(shape: Shape): string {
    if (isStatic(shape)) return this.int64(shape);
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
        for (const v of node.outputs) this.merged.set(v, twin.outputs[v.index]);
        continue;
      }
      seen.set(key, node);
      this.scope = node.scope;
      this.current = node;
      const names = this.lowered(node);
      node.outputs.forEach((v, i) => {
        if (names[i] === undefined) return;
        this.names.set(v, names[i]);
        this.learnDims(v, names[i]);
      });
    }
    this.scope = 'output';
    for (const [name, value] of Object.entries(outputs)) {
      if (this.taken.has(name))
        throw new GraphError(`The output "${name}" has the name of an input or weight of its graph; call it "grad.${name}" or the like.`);
      if (value.dtype === 'bfloat16') throw new GraphError(`The output "${name}" is bfloat16, which the runtime does not return; cast it.`);
      this.node('Identity', [this.of(value)], { outputs: [name] });
      this.graph.outputs.push({ name, dtype: value.dtype, shape: value.shape });
    }
    return this.graph;
  }

  private lowered(node: Node): readonly string[] {
    try {
      return node.op.lower(node, this);
    } catch (error) {
      if (error instanceof GraphError) throw error;
      throw new GraphError(`${whereIs(node)}: ${(error as Error).message}`);
    }
  }

  private learnDims(value: Value, name: string): void {
    value.shape.forEach((d, axis) => {
      if (typeof d === 'string' && !this.dimSources.has(d)) this.dimSources.set(d, [name, axis]);
    });
  }
}

const objectIds = new WeakMap<object, number>();
let nextObjectId = 0;

/** A scalar tensor of any type but the half ones. @throws RangeError for a fraction where the type holds whole numbers. */
export function scalarTensor(value: number, dtype: DType): Tensor {
  if (!dtype.startsWith('float') && !Number.isInteger(value)) throw new RangeError(`${value} is not a whole number, as ${dtype} needs.`);
  return tensor(dtype, [], dtype === 'int64' ? BigInt64Array.of(BigInt(value)) : allocate(dtype, 1).fill(value as never));
}

/** Identity of a node's computation for merging; large tensors count by identity. Bits count: −0 is not 0, ∞ is not NaN. */
function nodeKey(node: Node, inputs: readonly Value[]): string {
  const attributes = Object.entries(node.attributes as Attributes).map(([k, v]) => {
    if (typeof v === 'number') return [k, Object.is(v, -0) ? '-0' : String(v)];
    if (typeof v !== 'object' || Array.isArray(v)) return [k, v];
    if ('file' in v) return [k, v.file, v.offset, v.length];
    const { dtype, shape, data } = v as Tensor;
    if (data.length <= 16) return [k, dtype, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).join()];
    let id = objectIds.get(data);
    if (id === undefined) {
      id = nextObjectId++;
      objectIds.set(data, id);
    }
    return [k, dtype, shape, `#${id}`];
  });
  return JSON.stringify([node.op.name, inputs.map(v => [v.node.id, v.index]), attributes]);
}
