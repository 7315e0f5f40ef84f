/** @file ONNX Runtime's WebAssembly binding, for browsers and (in tests) Node. Weights are read as ranges, since nothing can be mapped. */

import { NarrowsError } from '../system/errors.ts';
import { PromiseCache } from '../system/promise-cache.ts';
import { OrtExecutable, type OrtSession, type OrtTensors, sizesOk } from './ort.ts';
import { type CompileOptions, checkThreads, type Executable, type Runtime } from './runtime.ts';

type Ort = typeof import('onnxruntime-web');

/** Reads `length` bytes of a file from `offset` on; in a browser for instance `fetch` with a `Range` header. */
export type ReadExternal = (file: string, offset: number, length: number) => Promise<Uint8Array>;

/** Options of `webRuntime`. */
export interface WebOptions {
  /**
   * Threads of the WebAssembly module; 1 by default. The first session of the page decides for all. More need cross-origin isolation in
   * a browser.
   */
  readonly threads?: number;
  /** Reads the weights of graphs that have some in files; `readRange` of node/files.ts does in Node. */
  readonly readExternal?: ReadExternal;
  /** Where the module's `.wasm` files lie (a URL prefix ending in `/`), when not next to the script. */
  readonly wasmPaths?: string;
}

/** Through a variable, so that bundlers and `tsc` do not insist on a package that only web users install. */
const PACKAGE = 'onnxruntime-web';
const VERSION = '1.30.0';

async function load(options: WebOptions): Promise<Ort> {
  let ort: Ort;
  try {
    ort = await import(PACKAGE);
  } catch (cause) {
    throw new NarrowsError(
      `The web runtime needs the package ${PACKAGE}, which is not installed: run "npm install ${PACKAGE}@${VERSION}".`,
      {
        cause,
      },
    );
  }
  ort.env.wasm.numThreads = options.threads ?? 1;
  if (options.wasmPaths) ort.env.wasm.wasmPaths = options.wasmPaths;
  ort.env.logLevel = 'fatal';
  return ort;
}

const nowhere: ReadExternal = async file => {
  throw new NarrowsError(`${file} holds weights, and webRuntime was given no readExternal to read them with; pass one.`);
};

/**
 * ONNX Runtime Web (WASM) in this thread. `run` blocks the thread while a graph executes, as Node's does; runs are done one after
 * another. The package is loaded with the first graph.
 * @throws NarrowsError (from `compile`) when onnxruntime-web is not installed or a weight file cannot be read.
 */
export function webRuntime(options: WebOptions = {}): Runtime {
  checkThreads(options.threads ?? 0);
  const read = options.readExternal ?? nowhere;
  const loading = new PromiseCache<Ort>();
  // The module takes one call at a time.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const turn = last.then(body, body);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    name: 'onnxruntime-web',
    version: VERSION,
    async compile(model, { externalRanges = [], prepack }: CompileOptions = {}) {
      sizesOk(model);
      const ort = await loading.get('ort', () => load(options));
      const externalData = await Promise.all(
        externalRanges.map(async ({ location, file, offset, length }) => ({ path: location, data: await read(file, offset, length) })),
      );
      const session = await inTurn(() =>
        ort.InferenceSession.create(model, {
          executionProviders: ['wasm'],
          graphOptimizationLevel: 'all',
          logSeverityLevel: 4,
          externalData,
          extra: { session: { disable_prepacking: prepack === false ? '1' : '0' } },
        }),
      );
      const executable = new OrtExecutable(session as unknown as OrtSession, ort.Tensor as unknown as OrtTensors);
      return {
        run: (inputs, runOptions) => inTurn(() => executable.run(inputs, runOptions)),
        release: () => inTurn(() => executable.release()),
      } satisfies Executable;
    },
    async release() {
      await last;
    },
  };
}
