/** @file ONNX Runtime Web with the weights of every model that this page opened. */
import type { Runtime } from '../runtime/runtime.ts';
import { webRuntime as ortRuntime } from '../runtime/web.ts';
import { NarrowsError } from '../system/errors.ts';
import { readWeights } from './files/places.ts';

/** Options of `webRuntime`. */
export interface WebRuntimeOptions {
  /** `wasm` (the processor, everywhere) or `webgpu` (needs a browser with WebGPU and JSPI). Default `wasm`. */
  readonly device?: 'wasm' | 'webgpu';
  /**
   * Threads of `wasm`, 1 by default. More need a page that is cross-origin isolated (headers COOP `same-origin` and COEP `require-corp`); elsewhere
   * it is one, which is said and stands in results. ONNX Runtime waits busily: more threads than free cores are slower than one.
   */
  readonly threads?: number;
  /** Where ONNX Runtime's `.wasm` files lie (a URL ending in `/`), when the bundler did not place them. */
  readonly wasmPaths?: string;
  readonly onWarning?: (message: string) => void;
}

/** @throws NarrowsError where this browser has no WebGPU that ONNX Runtime can use */
async function requireWebGpu(): Promise<void> {
  const gpu = (globalThis.navigator as { gpu?: { requestAdapter(): Promise<unknown> } } | undefined)?.gpu;
  const remedy = "take device: 'wasm', which gives the same maps";
  if (!gpu) throw new NarrowsError(`This browser has no WebGPU here (an old one, or a page without https); ${remedy}.`);
  if (!('Suspending' in WebAssembly))
    throw new NarrowsError(`This browser has WebGPU, but not the part of WebAssembly (JSPI) that ONNX Runtime needs for it; ${remedy}.`);
  if (!(await gpu.requestAdapter().catch(() => null)))
    throw new NarrowsError(`This browser finds no graphics device for WebGPU; ${remedy}.`);
}

/**
 * ONNX Runtime Web in this thread: while a graph executes, the thread stands still, so in a page it belongs into a worker (`narrows/web/worker`).
 * @throws NarrowsError (usage) for a number of threads that is none; where WebGPU is asked for and missing
 */
export async function webRuntime(options: WebRuntimeOptions = {}): Promise<Runtime> {
  const { device = 'wasm', threads = 1, wasmPaths, onWarning } = options;
  if (device === 'webgpu') await requireWebGpu();
  // In Node there is no such flag, and no such need.
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false;
  const used = isolated || device === 'webgpu' ? threads : 1;
  const runtime = ortRuntime({ device, threads: used, wasmPaths, readExternal: readWeights });
  if (used === threads) return runtime;
  const message = `This page is not cross-origin isolated, so ONNX Runtime runs on one thread, not on ${threads}; the maps are the same.`;
  onWarning?.(message);
  return { ...runtime, name: `${runtime.name} (1 thread of ${threads}: not cross-origin isolated)` };
}
