/** @file What the engine asks of a runtime: compile an ONNX model, run it, release it. Implementations: node.ts, web.ts, worker.ts. */
import type { Tensor } from '../tensor/tensor.ts';

/** Named tensors. */
export type Feeds = Readonly<Record<string, Tensor>>;

export interface CompileOptions {
  /** Directory against which external weight files are named. */
  readonly externalFolder?: string;
  /** Threads inside an op; 0 lets the runtime decide. */
  readonly threads?: number;
  /** Repack weights for speed, at the price of a copy of each in memory. Worth it for sessions that run often. Default true. */
  readonly prepack?: boolean;
  /** Prefix of a Chrome-trace profile to write on release. */
  readonly profile?: string;
}

/** A compiled graph. */
export interface Executable {
  /**
   * Runs once. Inputs are not copied. Outputs are new tensors, or the ones given in `into` (same type and shape), which are filled.
   * @param outputs names to fetch; all by default.
   * @throws Error from the runtime, naming the node as the model names it; after `release`, "already released".
   */
  run(inputs: Feeds, options?: { readonly outputs?: readonly string[]; readonly into?: Feeds }): Promise<Record<string, Tensor>>;
  /** Frees the session. Calling it again does nothing. */
  release(): Promise<void>;
}

/** An engine that executes ONNX models. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  compile(model: Uint8Array, options?: CompileOptions): Promise<Executable>;
  /** Frees what the runtime itself holds (worker threads). */
  release(): Promise<void>;
}
