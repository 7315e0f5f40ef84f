/** @file From traced values to something that runs; equal graphs share one session. */
import { createHash } from 'node:crypto';
import type { CompileOptions, Executable, Feeds, Runtime } from '../runtime/runtime.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Emitter, type OnnxGraph } from './lower.ts';
import { encodeModel, externalFolder } from './onnx.ts';
import type { Value } from './value.ts';

interface Entry {
  readonly executable: Promise<Executable>;
  users: number;
}
const cache = new WeakMap<Runtime, Map<string, Entry>>();

/** A traced function, compiled. Release it (or `await using`) when done; the session closes with its last user. */
export class CompiledGraph implements AsyncDisposable {
  private released = false;
  constructor(
    /** SHA-256 of the ONNX bytes, where weights stand, and the options. */
    readonly hash: string,
    readonly graph: OnnxGraph,
    private readonly executable: Executable,
    private readonly free: () => Promise<void>,
  ) {}

  /** Names of the inputs that must be fed. */
  get inputNames(): string[] {
    return this.graph.inputs.map(v => v.name);
  }

  /** Runs once; see `Executable.run`. Inputs that the graph does not need may be given and are ignored. */
  async run(inputs: Feeds, options?: { readonly outputs?: readonly string[]; readonly into?: Feeds }): Promise<Record<string, Tensor>> {
    const needed: Record<string, Tensor> = {};
    for (const { name } of this.graph.inputs) {
      if (!inputs[name]) throw new Error(`The graph's input "${name}" was not fed.`);
      needed[name] = inputs[name];
    }
    return this.executable.run(needed, options);
  }

  /** Gives the session back. Calling it again does nothing. */
  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    await this.free();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Traced outputs as an ONNX graph, before compiling. */
export const lower = (outputs: Readonly<Record<string, Value>>): OnnxGraph => new Emitter().run(outputs);

/**
 * Compiles the graph that computes `outputs` (by the names given).
 * @throws Error naming the node, where the runtime refuses the graph.
 */
export async function compile(
  runtime: Runtime,
  outputs: Readonly<Record<string, Value>>,
  options: CompileOptions = {},
): Promise<CompiledGraph> {
  const graph = lower(outputs);
  const folder = options.externalFolder ?? externalFolder(graph);
  const bytes = encodeModel(graph, folder);
  const hash = createHash('sha256')
    .update(bytes)
    .update(JSON.stringify({ ...options, folder }))
    .digest('hex');
  const sessions = cache.get(runtime) ?? new Map<string, Entry>();
  cache.set(runtime, sessions);
  let entry = sessions.get(hash);
  if (!entry) {
    entry = { executable: runtime.compile(bytes, { ...options, externalFolder: folder }), users: 0 };
    sessions.set(hash, entry);
  }
  entry.users++;
  const shared = entry;
  try {
    const executable = await shared.executable;
    return new CompiledGraph(hash, graph, executable, async () => {
      if (--shared.users > 0) return;
      sessions.delete(hash);
      await executable.release();
    });
  } catch (error) {
    sessions.delete(hash);
    throw error;
  }
}
