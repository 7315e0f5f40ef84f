/** @file A page's ONNX Runtime behind the interface of any runtime: single graphs are compiled and run there, on what tests here feed. */
import type { Page } from 'playwright-core';
import { readRange } from '../../node/files.ts';
import type { CompileOptions, Runtime } from '../../runtime/runtime.ts';
import type { DType } from '../../tensor/dtype.ts';
import { DTYPES } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WebRuntimeOptions } from '../runtime.ts';
import type { SentGraph as PageGraph } from './page/jobs.ts';

/** What crosses: bytes as text, since arrays of numbers would lose their type. */
interface Crossing {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: string;
}

const pack = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

const out = ({ dtype, shape, data }: Tensor): Crossing => ({
  dtype,
  shape: [...shape],
  bytes: pack(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
});

function back({ dtype, shape, bytes }: Crossing): Tensor {
  const raw = Uint8Array.from(Buffer.from(bytes, 'base64'));
  return { dtype, shape, data: new DTYPES[dtype].array(raw.buffer as never) as Tensor['data'] };
}

/** A graph as it goes to the page, its weights with it. */
export type SentGraph = Omit<PageGraph, 'runtime'>;

/** Packs a graph. */
export async function sentGraph(model: Uint8Array, { externalRanges = [], prepack }: CompileOptions = {}): Promise<SentGraph> {
  const weights = await Promise.all(
    externalRanges.map(async range => ({ ...range, bytes: pack(await readRange(range.file, range.offset, range.length)) })),
  );
  return { model: pack(model), weights, prepack };
}

/** @param options of the page's runtime */
export function browserRuntime(page: Page, options: WebRuntimeOptions): Runtime {
  const ask = <T>(job: string, argument: unknown): Promise<T> =>
    page.evaluate(([job, argument]) => window.ask('worker', job as string, argument), [job, argument] as const) as Promise<T>;
  return {
    name: 'a page',
    version: '',
    webgpu: options.device === 'webgpu',
    async compile(model, given) {
      const session = await ask<number>('compile', { ...(await sentGraph(model, given)), runtime: options });
      return {
        async run(feeds) {
          const sent = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, out(tensor)]));
          const results = await ask<Record<string, Crossing>>('run', { session, feeds: sent });
          return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, back(tensor)]));
        },
        release: () => ask('release', { session }),
      };
    },
    async release() {},
  };
}
