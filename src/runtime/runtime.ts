/** @file What the engine asks of a runtime: compile an ONNX model, run it, release it. Implementations: node.ts, web.ts, worker.ts. */
import type { WeightFile } from '../node/weight-guard.ts';
import { NarrowsError } from '../system/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Most threads of an engine: more than any machine has, fewer than would break one. */
export const MAX_THREADS = 1024;

/** @returns the number of threads, 0 for what the runtime takes by itself. @throws NarrowsError (usage) for what is no such number */
export function checkThreads(threads: number): number {
  if (Number.isInteger(threads) && threads >= 0 && threads <= MAX_THREADS) return threads;
  throw new NarrowsError(`The number of threads is ${threads}; give a whole number from 0 (all cores) to ${MAX_THREADS}.`, {
    kind: 'usage',
  });
}

/** Named tensors. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** A piece of a weight file: `length` bytes from `offset` on. */
export interface WeightRange {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** A piece of a weight file that a model refers to by the name `location`. */
export interface ExternalRange extends WeightRange {
  readonly location: string;
}

/** What a model calls a weight outside of it: ONNX's external data, a name and the bytes below it. */
export interface WeightLocation {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Names for weights, and the options of `compile` with which a runtime resolves them. */
export interface WeightPlacement {
  readonly locations: readonly WeightLocation[];
  readonly options: Pick<CompileOptions, 'externalFolder' | 'externalRanges'>;
}

/** How a graph is compiled. */
export interface CompileOptions {
  /** Directory against which external weight files are named. */
  readonly externalFolder?: string;
  /** For runtimes that map no files: where to read what the model refers to. */
  readonly externalRanges?: readonly ExternalRange[];
  /** Every weight file that the model refers to, and up to which byte: runtimes that map them watch their lengths. */
  readonly weightFiles?: readonly WeightFile[];
  /** Threads inside an op; 0 lets the runtime decide. */
  readonly threads?: number;
  /** Repack weights for speed, at the price of a copy of each in memory. Worth it for sessions that run often. Default true. */
  readonly prepack?: boolean;
  /**
   * Lay out the values of a run as one block, from the second run with the same shapes on. Faster for small graphs; the block comes on top
   * of what the first run took, which is never given back. Default true.
   */
  readonly memoryPlan?: boolean;
  /** Prefix of a Chrome-trace profile to write on release. */
  readonly profile?: string;
}

/** What a run may choose. */
export interface RunOptions {
  /** Names of the outputs to fetch; all by default. */
  readonly outputs?: readonly string[];
  /** Tensors to fill, by output name. */
  readonly into?: Feeds;
  /**
   * Rejects the run with the signal's reason. What already executes is not stopped: a worker's run rejects at once
   * and ends in the background, the other runtimes look before they start.
   */
  readonly signal?: AbortSignal;
}

/** A compiled graph. */
export interface Executable {
  /**
   * Runs once. The runtime of this thread does not copy inputs; others do, and none keeps or changes them.
   * Outputs are new tensors, or the ones given in `into` (same type and number of elements), which are filled after the run.
   * @throws Error from the runtime, naming the node as the model names it; after `release`, "already released".
   */
  run(inputs: Feeds, options?: RunOptions): Promise<Record<string, Tensor>>;
  /** Frees the session once runs under way have ended. Calling it again does nothing. */
  release(): Promise<void>;
}

/** An engine that executes ONNX models. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** On what graphs run, where that is not the processor: results are not those of the processor to the bit. */
  readonly device?: string;
  /**
   * What models for this runtime call weights that stand in files, in the order given. Without it files are taken as not mappable, and
   * `compile` gets every weight as an `ExternalRange` that the runtime reads itself.
   */
  readonly placeWeights?: (weights: readonly WeightRange[]) => WeightPlacement;
  /**
   * Graphs are lowered for WebGPU, and for other devices with as few kernels: products of transposed matrices as plain ops (it has no fused kernel, and would copy both operands to the host and
   * back), sines and cosines as polynomials (WGSL promises its own to 2⁻¹¹ between −π and π only, and rotary positions go far beyond).
   */
  readonly webgpu?: boolean;
  compile(model: Uint8Array, options?: CompileOptions): Promise<Executable>;
  /** Frees what the runtime itself holds (worker threads). */
  release(): Promise<void>;
}

/** Every weight's bytes under a name of their own, for runtimes that read ranges instead of mapping files. */
export function rangesOf(weights: readonly WeightRange[]): WeightPlacement {
  const externalRanges = weights.map(({ file, offset, length }, i) => ({ location: `${i}.bin`, file, offset, length }));
  return { locations: externalRanges.map(({ location, length }) => ({ location, offset: 0, length })), options: { externalRanges } };
}
