/** @file ONNX Runtime's WebAssembly binding, for browsers and (in tests) Node. Weights are read as ranges, since nothing can be mapped. */

import { messageOf, NarrowsError } from '../system/errors.ts';
import { PromiseCache } from '../system/promise-cache.ts';
import { OrtExecutable, type OrtSession, type OrtTensors, sizesOk } from './ort.ts';
import { type CompileOptions, checkThreads, type Executable, type Runtime } from './runtime.ts';

type Ort = typeof import('onnxruntime-web');

/** Reads `length` bytes of a file from `offset` on; in a browser for instance `fetch` with a `Range` header. */
export type ReadExternal = (file: string, offset: number, length: number) => Promise<Uint8Array>;

/** Options of `webRuntime`. */
export interface WebOptions {
  /** `wasm` (the processor), or `webgpu` (needs a browser with WebGPU and JSPI). Default `wasm`. */
  readonly device?: 'wasm' | 'webgpu';
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

const PACKAGE = 'onnxruntime-web';
const VERSION = '1.30.0';
/** Milliseconds that the module may take to start: a bundle whose threads cannot find their script would wait for ever. */
const START = 60_000;

async function load(options: WebOptions): Promise<Ort> {
  let ort: Ort;
  try {
    // Named in full, so that bundlers follow, and never at the top of a module: a thread of the module runs the script that holds it.
    ort = options.device === 'webgpu' ? await import('onnxruntime-web/jspi') : await import('onnxruntime-web/wasm');
  } catch (cause) {
    throw new NarrowsError(
      `The web runtime needs the package ${PACKAGE}, which is not installed: run "npm install ${PACKAGE}@${VERSION}".`,
      {
        cause,
      },
    );
  }
  ort.env.wasm.numThreads = options.threads ?? 1;
  ort.env.wasm.initTimeout = START;
  if (options.wasmPaths) ort.env.wasm.wasmPaths = options.wasmPaths;
  ort.env.logLevel = 'fatal';
  return ort;
}

const nowhere: ReadExternal = async file => {
  throw new NarrowsError(`${file} holds weights, and webRuntime was given no readExternal to read them with; pass one.`);
};

/** Milliseconds of work after which messages of the thread come in. */
const BREATH = 40;

/** Lets the thread's other work come in: runs follow each other without a pause that a message (a cancellation) could use. */
function breathe(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise(resolve => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

/** What ONNX Runtime says where WebGPU, or the processor in its place, has no kernel for a node. */
const NO_KERNEL = /Failed to find kernel|IsNodeCompatibleWithProvider|Could not find an implementation/;

/** One sentence for a module that does not start, or a device that lacks an op; other errors are the graph's, and stay as they are. */
function startError(error: unknown, { threads = 1, device = 'wasm' }: WebOptions): unknown {
  // Weights that could not be read say so themselves.
  if (error instanceof NarrowsError) return error;
  const reason = messageOf(error);
  if (device === 'webgpu' && NO_KERNEL.test(reason))
    return new NarrowsError(
      "WebGPU cannot run this graph (it holds float64 values, or an op that has no kernel there); take device: 'wasm', which gives the same maps.",
      { cause: error },
    );
  if (!/no available backend|initializing failed|timeout/i.test(reason)) return error;
  const remedy =
    device === 'webgpu'
      ? "take device: 'wasm'"
      : threads > 1
        ? 'take threads: 1, and check that the bundler keeps onnxruntime-web in a file of its own'
        : "check that its .wasm file lies next to the script, or say where with wasmPaths, and that the page's policy allows 'wasm-unsafe-eval'";
  return new NarrowsError(`ONNX Runtime Web does not start here (${reason}); ${remedy}.`, { cause: error });
}

/**
 * A session with its weights. A function of its own: closures that live as long as the session must not share a scope with the bytes, which an engine
 * would keep for as long, beside ONNX Runtime's own copy of them.
 */
async function createSession(
  ort: Ort,
  model: Uint8Array,
  given: Required<Pick<CompileOptions, 'externalRanges'>> &
    Pick<CompileOptions, 'prepack'> & { read: ReadExternal; device: 'wasm' | 'webgpu' },
): Promise<OrtSession> {
  const { read, device, externalRanges, prepack } = given;
  const externalData = await Promise.all(
    externalRanges.map(async ({ location, file, offset, length }) => ({ path: location, data: await read(file, offset, length) })),
  );
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [device],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    externalData,
    extra: { session: { disable_prepacking: prepack === false ? '1' : '0' } },
  });
  return session as unknown as OrtSession;
}

/**
 * ONNX Runtime Web in this thread. `run` blocks the thread while a graph executes, as Node's does; runs are done one after
 * another. The package is loaded with the first graph.
 * @throws NarrowsError (from `compile`) when onnxruntime-web is not installed or does not start, or a weight file cannot be read.
 */
export function webRuntime(options: WebOptions = {}): Runtime {
  checkThreads(options.threads ?? 0);
  const { device = 'wasm' } = options;
  const read = options.readExternal ?? nowhere;
  const loading = new PromiseCache<Ort>();
  // The module takes one call at a time.
  let last: Promise<unknown> = Promise.resolve();
  let breath = performance.now();
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const turn = last.then(body, body);
    last = turn
      .catch(() => {})
      .then(async () => {
        if (performance.now() - breath < BREATH) return;
        await breathe();
        breath = performance.now();
      });
    return turn;
  };
  return {
    name: device === 'webgpu' ? 'onnxruntime-web (webgpu)' : 'onnxruntime-web',
    version: VERSION,
    ...(device === 'webgpu' ? { webgpu: true } : {}),
    async compile(model, { externalRanges = [], prepack }: CompileOptions = {}) {
      sizesOk(model);
      const ort = await loading.get('ort', () => load(options));
      const session = await inTurn(() => createSession(ort, model, { read, device, externalRanges, prepack })).catch(error => {
        throw startError(error, options);
      });
      const executable = new OrtExecutable(session, ort.Tensor as unknown as OrtTensors);
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
