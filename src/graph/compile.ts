/** @file From traced values to something that runs; equal graphs share one session. */
import { type CompileOptions, type Executable, type Feeds, type RunOptions, type Runtime, rangesOf } from '../runtime/runtime.ts';
import { digestHex } from '../system/sha256.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { showShape } from './dims.ts';
import { OnnxEmitter } from './lower.ts';
import { encodeModel, externalWeights, weightFiles } from './onnx.ts';
import type { OnnxGraph, OnnxValueInfo } from './onnx-graph.ts';
import { GraphError, type Value } from './value.ts';

interface Entry {
  readonly executable: Promise<Executable>;
  users: number;
}
const cache = new WeakMap<Runtime, Map<string, Entry>>();
// A compiled graph that is forgotten instead of released gives its session back when it is collected.
const forgotten = new FinalizationRegistry<() => Promise<void>>(free => void free().catch(() => {}));

/** A traced function, compiled. Release it (or `await using`) when done; the session closes with its last user. */
export class CompiledGraph implements AsyncDisposable {
  private released = false;
  constructor(
    /** SHA-256 of the ONNX bytes, where weights stand, and the options. */
    readonly hash: string,
    readonly graph: OnnxGraph,
    private readonly executable: Executable,
    private readonly free: () => Promise<void>,
  ) {
    forgotten.register(this, free, this);
  }

  /** Names of the inputs that must be fed. */
  get inputNames(): string[] {
    return this.graph.inputs.map(v => v.name);
  }

  /**
   * Runs once; see `Executable.run`. Inputs that the graph does not need may be given and are ignored.
   * @throws GraphError for an input that is missing or has another type or shape, or an output that is unknown; Error after `release`.
   */
  async run(inputs: Feeds, options?: RunOptions): Promise<Record<string, Tensor>> {
    if (this.released) throw new Error('This compiled graph is already released; compile it again.');
    for (const name of [...(options?.outputs ?? []), ...Object.keys(options?.into ?? {})])
      if (!this.graph.outputs.some(v => v.name === name))
        throw new GraphError(`The graph has no output "${name}"; it has ${this.graph.outputs.map(v => v.name).join(', ')}.`);
    return this.executable.run(checkFeeds(this.graph.inputs, inputs), options);
  }

  /** Gives the session back; it closes with its last user, after runs under way. Calling it again does nothing. */
  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    forgotten.unregister(this);
    await this.free();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Picks what the graph needs. @throws GraphError naming the input, what it must be, and what it is. */
function checkFeeds(expected: readonly OnnxValueInfo[], inputs: Feeds): Feeds {
  const needed: Record<string, Tensor> = {};
  const sizes = new Map<string, [size: number, input: string]>();
  for (const { name, dtype, shape } of expected) {
    const given = inputs[name];
    const want = `${dtype}${showShape(shape)}`;
    if (!given) throw new GraphError(`The input "${name}" (${want}) was not fed.`);
    const wrong = (why: string): GraphError =>
      new GraphError(`The input "${name}" must be ${want}, but ${given.dtype}${showShape(given.shape)} was fed${why}.`);
    if (given.dtype !== dtype || given.shape.length !== shape.length) throw wrong('');
    let count = 1;
    for (let i = 0; i < shape.length; i++) {
      const [want, size] = [shape[i], given.shape[i]];
      count *= size;
      if (typeof want === 'number') {
        if (want !== size) throw wrong('');
        continue;
      }
      const known = sizes.get(want);
      if (!known) sizes.set(want, [size, name]);
      else if (known[0] !== size) throw wrong(`, while ${want} is ${known[0]} in the input "${known[1]}"`);
    }
    if (given.data.length !== count) throw wrong(` with ${given.data.length} elements`);
    needed[name] = given;
  }
  return needed;
}

/** Traced outputs as an ONNX graph, before compiling. @param webgpu see `Runtime.webgpu` */
export const lower = (outputs: Readonly<Record<string, Value>>, webgpu = false): OnnxGraph => new OnnxEmitter(webgpu).run(outputs);

/**
 * Compiles the graph that computes `outputs` (by the names given). Equal graphs with equal options share one session of the runtime.
 * @throws GraphError where an op cannot be lowered; Error naming the node, where the runtime refuses the graph.
 * @example
 * const x = input('x', ['rows', 2]); // one session serves any number of rows
 * await using graph = await compile(nodeRuntime(), { y: softmax(x, -1) });
 * console.log((await graph.run({ x: floats([1, 2], [0, 1]) })).y.data);
 */
export async function compile(
  runtime: Runtime,
  outputs: Readonly<Record<string, Value>>,
  options: CompileOptions = {},
): Promise<CompiledGraph> {
  const graph = lower(outputs, runtime.webgpu);
  const placement = (runtime.placeWeights ?? rangesOf)(externalWeights(graph));
  const bytes = encodeModel(graph, placement.locations);
  const full: CompileOptions = { ...options, ...placement.options };
  const hash = await digestHex(bytes, JSON.stringify(Object.entries(full).sort(([a], [b]) => (a < b ? -1 : 1))));
  const sessions = cache.get(runtime) ?? new Map<string, Entry>();
  cache.set(runtime, sessions);
  let entry = sessions.get(hash);
  if (!entry) {
    entry = { executable: runtime.compile(bytes, { ...full, weightFiles: weightFiles(graph) }), users: 0 };
    sessions.set(hash, entry);
  }
  const shared = entry;
  const forget = (): void => {
    if (sessions.get(hash) === shared) sessions.delete(hash);
  };
  shared.users++;
  try {
    const executable = await shared.executable;
    return new CompiledGraph(hash, graph, executable, async () => {
      if (--shared.users > 0) return;
      forget();
      await executable.release();
    });
  } catch (error) {
    forget();
    throw error;
  }
}
