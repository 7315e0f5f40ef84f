/**
 * @file WebGPU in Chromium, on the software adapter that it brings (SwiftShader): the op table with gradients in float32, M2IB against WebAssembly,
 * and that no value goes to the host and back within a gate's step.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConsoleMessage, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMethod } from '../attribution/registry.ts';
import { PAIRS, tinyPairModel } from '../attribution/testing/tiny-pairs.ts';
import { families } from '../graph/testing/cases.ts';
import { checkCase, titleOf } from '../graph/testing/op-case.ts';
import { CLIPModel } from '../models/pretrained.ts';
import { diskFiles } from '../node/disk-files.ts';
import { readRange } from '../node/files.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { webRuntime } from '../runtime/web.ts';
import { encodePng } from './image/encode-png.ts';
import { browserRuntime, type SentGraph, sentGraph } from './testing/browser-runtime.ts';
import type { valuesOf } from './testing/page/values.ts';
import { ask, browserHere, type Session, startSession } from './testing/session.ts';

const SLOW = 600_000;
/** Cases whose very point is float64, which WebGPU has not: all others are taken in float32. */
const FLOAT64_ONLY = [
  'fill: float64',
  'fill: float16, read back as float64',
  'fill: infinities are not merged',
  'fill: -0 is not 0',
  'cast',
];
const TINY_FILES = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];

/** The gate's step with its gradient, as it is lowered for WebGPU or not. */
async function stepGraph(directory: string, webgpu: boolean): Promise<SentGraph> {
  const graphs: SentGraph[] = [];
  const wasm = webRuntime({ readExternal: readRange });
  const runtime: Runtime = {
    ...wasm,
    webgpu,
    async compile(model, options) {
      if (Buffer.from(model).includes('gradient')) graphs.push(await sentGraph(model, options));
      return wasm.compile(model, options);
    },
  };
  await using model = await CLIPModel.fromFiles(diskFiles(directory), { runtime });
  await using method = createMethod('m2ib', model, { steps: 1 });
  await method.attribute(PAIRS[1], { modality: 'image' });
  expect(graphs.length).toBe(1);
  return graphs[0];
}

describe.skipIf(!browserHere)('WebGPU in Chromium', () => {
  let session: Session;
  let page: Page;
  let tiny: Awaited<ReturnType<typeof tinyPairModel>>;
  /** Why there is no WebGPU; empty where there is. */
  let missing: string;
  beforeAll(async () => {
    tiny = await tinyPairModel();
    const { width, height, data } = PAIRS[1].image;
    await writeFile(join(tiny.files.name, 'picture.png'), await encodePng(width, height, data));
    session = await startSession({ chromium: ['--enable-unsafe-webgpu'], mounts: [['/tiny/', tiny.files.name]] });
    ({ page } = await session.open());
    missing = await ask<string>(page, 'worker', 'webgpu');
    if (missing) process.stderr.write(`\n*** No WebGPU in this Chromium: ${missing} Its tests were left out.\n\n`);
  }, SLOW);
  afterAll(async () => {
    await session?.close();
    await tiny?.release();
    await tiny?.remove();
  });

  it(
    'every op and its gradients hold in float32; what needs float64 is refused in one sentence',
    async ({ skip }) => {
      skip(missing !== '', missing);
      const runtime = browserRuntime(page, { device: 'webgpu' });
      const wrong: string[] = [];
      const refused: string[] = [];
      const seen = new Set<string>();
      for (const row of Object.values(families).flat()) {
        // Rows that differ by their float type alone are one here.
        const key = titleOf(row).replace(/float(32|64)/, '');
        if (seen.has(key) && row.op !== 'fill') continue;
        seen.add(key);
        await checkCase(runtime, { ...row, dtype: 'float32' }).catch((error: Error) => {
          if (/WebGPU cannot run this graph \(it holds float64/.test(error.message)) refused.push(titleOf(row));
          else wrong.push(`${titleOf(row)}: ${error.message}`);
        });
      }
      expect(wrong).toEqual([]);
      expect(refused).toEqual(FLOAT64_ONLY);
    },
    SLOW,
  );

  it(
    "M2IB's maps are those of WebAssembly",
    async ({ skip }) => {
      skip(missing !== '', missing);
      const job = { picture: '/tiny/picture.png', text: PAIRS[1].text, model: '/tiny/', load: { files: TINY_FILES } };
      const maps = (device: 'wasm' | 'webgpu') =>
        ask<{ m2ib: ReturnType<typeof valuesOf> }>(page, 'worker', 'maps', {
          ...job,
          runtime: { device },
          methods: [['m2ib', { steps: 3 }]],
        });
      const [wasm, webgpu] = [(await maps('wasm')).m2ib, (await maps('webgpu')).m2ib];
      expect([wasm.runtime, webgpu.runtime]).toEqual(
        ['onnxruntime-web', 'onnxruntime-web (webgpu)'].map(name => expect.stringContaining(name)),
      );
      expect(wasm.runtime).not.toContain('webgpu');
      for (const part of ['image', 'text'] as const) {
        const scale = Math.max(...wasm[part]!.map(Math.abs));
        expect(webgpu[part]!.length).toBe(wasm[part]!.length);
        expect(Math.max(...webgpu[part]!.map((v, i) => Math.abs(v - wasm[part]![i]))) / scale).toBeLessThan(1e-4);
      }
    },
    SLOW,
  );

  it(
    "no value goes to the host and back within the gate's step",
    async ({ skip }) => {
      skip(missing !== '', missing);
      // Each session has a page of its own, whose console tells of that one alone.
      const { page: own } = await session.open();
      const placed = async (webgpu: boolean) => {
        const lines: string[] = [];
        const listen = (message: ConsoleMessage): void => void lines.push(message.text());
        own.on('console', listen);
        await ask(own, 'worker', 'placement', await stepGraph(tiny.files.name, webgpu));
        own.off('console', listen);
        const [copies] = lines.flatMap(line => /MemcpyTransformer modified: (\d)/.exec(line)?.[1] ?? []);
        return copies;
      };
      const plain = await placed(true);
      const fused = await placed(false);
      expect(plain).toBe('0');
      // The proof that it would be seen: the fused product has no kernel there.
      expect(fused).toBe('1');
    },
    SLOW,
  );
});
