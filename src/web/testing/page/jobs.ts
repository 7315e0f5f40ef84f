/** @file What tests ask of a page or its worker. Only the public entry is used, and the runtime by itself for single graphs. */
import * as narrows from '../../../entries/web.ts';
import type { Executable, ExternalRange } from '../../../runtime/runtime.ts';
import { webRuntime } from '../../../runtime/web.ts';
import { base64 } from '../../../system/bytes.ts';
import { sha256Hex } from '../../../system/sha256.ts';
import { DTYPES, type DType } from '../../../tensor/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { valuesOf } from './values.ts';

/** A model and a pair. */
export interface PairJob {
  readonly model: string;
  readonly load?: Omit<narrows.LoadOptions, 'runtime'>;
  readonly runtime?: narrows.WebRuntimeOptions;
  readonly picture: string;
  readonly text: string;
}

/** A tensor on its way, its bytes as text. */
interface Crossing {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: string;
}

/** A graph on its way, with the weights that it names. */
export interface SentGraph {
  readonly model: string;
  readonly weights: readonly (ExternalRange & { readonly bytes: string })[];
  readonly prepack?: boolean;
  readonly runtime: narrows.WebRuntimeOptions;
}

const sent = new Map<string, Uint8Array>();
const engines = new Map<string, narrows.Runtime>();
const engineOf = (options: narrows.WebRuntimeOptions): narrows.Runtime => {
  const key = JSON.stringify(options);
  const readExternal = async (file: string, offset: number): Promise<Uint8Array> => sent.get(`${file} ${offset}`)!;
  const known = engines.get(key) ?? webRuntime({ ...options, readExternal });
  engines.set(key, known);
  return known;
};

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), c => c.charCodeAt(0));

let kept: { readonly key: string; readonly method: narrows.Attributor; readonly image: narrows.RgbImage } | undefined;
const runtimes = new Map<string, Promise<narrows.Runtime>>();
const runtimeOf = (options: narrows.WebRuntimeOptions = {}): Promise<narrows.Runtime> => {
  const key = JSON.stringify(options);
  const known = runtimes.get(key) ?? narrows.webRuntime(options);
  runtimes.set(key, known);
  return known;
};
const sessions = new Map<number, Executable>();
let lastSession = 0;

/** All jobs. */
export const jobs = {
  isolated: async () => globalThis.crossOriginIsolated,

  /** Why there is no WebGPU here; empty where there is. */
  webgpu: () =>
    narrows.webRuntime({ device: 'webgpu' }).then(
      () => '',
      (error: Error) => error.message,
    ),

  /** Makes a session of a graph on WebGPU that says on the console where its nodes run. */
  async placement({ model, weights }: Omit<SentGraph, 'runtime'>) {
    const ort = await import('onnxruntime-web/jspi');
    const session = await ort.InferenceSession.create(fromBase64(model), {
      executionProviders: ['webgpu'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 0,
      logVerbosityLevel: 0,
      externalData: weights.map(({ location, bytes }) => ({ path: location, data: fromBase64(bytes) })),
    });
    await session.release();
  },

  /** A graph of tests' own, on the engine itself; weights come along. */
  async compile({ model, weights, prepack, runtime }: SentGraph) {
    for (const { file, offset, bytes } of weights) sent.set(`${file} ${offset}`, fromBase64(bytes));
    const session = await engineOf(runtime).compile(fromBase64(model), { prepack, externalRanges: weights });
    sessions.set(++lastSession, session);
    return lastSession;
  },
  async run({ session, feeds }: { session: number; feeds: Record<string, Crossing> }) {
    const given = Object.entries(feeds).map(([name, { dtype, shape, bytes }]): [string, Tensor] => [
      name,
      { dtype, shape, data: new DTYPES[dtype].array(fromBase64(bytes).buffer as never) as Tensor['data'] },
    ]);
    const results = await sessions.get(session)!.run(Object.fromEntries(given));
    return Object.fromEntries(
      Object.entries(results).map(([name, { dtype, shape, data }]): [string, Crossing] => [
        name,
        { dtype, shape, bytes: base64(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) },
      ]),
    );
  },
  async release({ session }: { session: number }) {
    await sessions.get(session)?.release();
    sessions.delete(session);
  },

  async maps({ methods, ...job }: PairJob & { methods: readonly (readonly [name: string, options: Record<string, unknown>])[] }) {
    const model = await narrows.loadModel(job.model, { ...job.load, runtime: await runtimeOf(job.runtime) });
    const image = await narrows.decodeImage(job.picture);
    const out: Record<string, ReturnType<typeof valuesOf> & { readonly milliseconds: number }> = {};
    for (const [name, options] of methods) {
      const started = performance.now();
      const method = narrows.createMethod(name as 'auto', model, options as never);
      out[name] = { ...valuesOf(await method.attribute({ image, text: job.text })), milliseconds: performance.now() - started };
      await method.release();
    }
    await model.release();
    return out;
  },

  /** One map by a model and a method that are kept: what a bench suite times, in milliseconds. */
  async timed({ method, ...job }: PairJob & { method: string }) {
    const key = JSON.stringify([job, method]);
    if (kept?.key !== key) {
      const model = await narrows.loadModel(job.model, { ...job.load, runtime: await runtimeOf(job.runtime) });
      kept = { key, method: narrows.createMethod(method as 'auto', model), image: await narrows.decodeImage(job.picture) };
    }
    const started = performance.now();
    await kept.method.attribute({ image: kept.image, text: job.text });
    return performance.now() - started;
  },

  async load({ place, options }: { place: string; options: narrows.LoadOptions }) {
    const warnings: string[] = [];
    const progress: narrows.DownloadProgress[] = [];
    const model = await narrows.loadModel(place, {
      ...options,
      onWarning: message => warnings.push(message),
      onProgress: step => progress.push(step),
    });
    const sha256 = await model.sha256();
    await model.release();
    return { sha256, warnings, progress: progress.at(-1), steps: progress.length };
  },

  /** Loads, and gives up once so many bytes are here. */
  async stopLoading({ place, options, bytes }: { place: string; options: narrows.LoadOptions; bytes: number }) {
    const controller = new AbortController();
    const onProgress = ({ loadedAll }: narrows.DownloadProgress): void => {
      if (loadedAll >= bytes) controller.abort(new Error('stopped by the test'));
    };
    await narrows.loadModel(place, { ...options, onProgress, signal: controller.signal });
  },

  async decode({ files, options }: { files: readonly string[]; options?: narrows.ImageReadOptions }) {
    const out: Record<string, unknown> = {};
    for (const file of files)
      try {
        const { width, height, data, reading } = await narrows.decodeImage(file, options);
        out[file] = { width, height, sha256: sha256Hex(data), reading, corner: Array.from(data.slice(0, 3)) };
      } catch (error) {
        out[file] = { error: (error as Error).message };
      }
    return out;
  },

  async chat({ model, load, picture, question }: { model: string; load: narrows.ChatLoadOptions; picture: string; question: string }) {
    const chat = await narrows.loadChat(model, load);
    const session = new narrows.ChatSession(chat);
    const image = await narrows.decodeImage(picture);
    session.add(image);
    const pieces: string[] = [];
    for await (const piece of session.ask(question, { maxNewTokens: 12 })) pieces.push(piece);
    const entry = narrows.findMethod('posterior') as narrows.QuestionMethodEntry;
    const posterior = await narrows.explainSubject(entry, { kind: 'question', model: chat, pair: { image, text: question } });
    await chat.release();
    return { pieces, posterior: valuesOf(posterior) };
  },

  async figures({ picture, text, ...job }: PairJob) {
    const model = await narrows.loadModel(job.model, { ...job.load, runtime: await runtimeOf(job.runtime) });
    const image = await narrows.decodeImage(picture);
    const method = narrows.createMethod('grad-cam', model);
    const result = await method.attribute({ image, text });
    const svg = await narrows.figureSvg(result, image, {}, 2, { text: 'outlines' });
    const html = await narrows.reportHtml([{ result, image }]);
    const drawn =
      typeof Image === 'undefined' ? undefined : [await narrows.figurePng(result, image), await narrows.overlayPng(result, image)];
    await method.release();
    await model.release();
    return { svg, html, png: drawn && base64(drawn[0]), overlay: drawn && base64(drawn[1]), json: narrows.attributionToJson(result) };
  },
};
/** See `jobs`. */
export type Jobs = typeof jobs;
