/** @file Maps of every method in Chromium against Node's, the op table with gradients on one and two threads, M2IB's golden. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMethod } from '../attribution/registry.ts';
import { PAIRS, tinyPairModel } from '../attribution/testing/tiny-pairs.ts';
import { writeHalfWeights } from '../checkpoints/testing/half-weights.ts';
import { families } from '../graph/testing/cases.ts';
import { checkCase, titleOf } from '../graph/testing/op-case.ts';
import { decodeImage } from '../inputs/image/decode.ts';
import { CLIPModel } from '../models/clip/model.ts';
import { loadModel } from '../models/pretrained.ts';
import { diskFiles } from '../node/disk-files.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { verifyReference } from '../verify/verify.ts';
import { encodePng } from './image/encode-png.ts';
import { browserRuntime } from './testing/browser-runtime.ts';
import { valuesOf } from './testing/page/values.ts';
import { ask, browserHere, CLIP_FILES, type Session, startSession } from './testing/session.ts';
import { smallMethods } from './testing/small-options.ts';

const SLOW = 600_000;
const TINY_FILES = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];
const PAIR = { picture: '/examples/scene.png', text: 'a cat and an umbrella', model: '/models/scene-clip/', load: { files: CLIP_FILES } };
const TINY = { picture: '/tiny/picture.png', model: '/tiny/', load: { files: TINY_FILES } };
const scene = fileURLToPath(new URL('../../examples/scene.png', import.meta.url));

/** XGrad-CAM divides by the sum of a channel's activations, which comes near 0 in this random model: rounding grows by it, as xgrad-cam.test.ts shows. */
const ROUNDING: Readonly<Record<string, number>> = { 'xgrad-cam': 5e-4 };

type Values = ReturnType<typeof valuesOf>;

/** The largest difference, as a share of the largest value. */
function difference(a: readonly number[] | undefined, b: readonly number[] | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : Number.POSITIVE_INFINITY;
  expect(a.length).toBe(b.length);
  const scale = Math.max(...b.map(Math.abs), 1e-12);
  return Math.max(0, ...a.map((v, i) => Math.abs(v - b[i]))) / scale;
}

describe.skipIf(!browserHere)('in Chromium', () => {
  let session: Session;
  let tiny: Awaited<ReturnType<typeof tinyPairModel>>;
  let page: Page;
  let said: string[];
  /** A directory for the same model in half precision. */
  let half: string;
  beforeAll(async () => {
    tiny = await tinyPairModel();
    const { width, height, data } = PAIRS[1].image;
    await writeFile(join(tiny.files.name, 'picture.png'), await encodePng(width, height, data));
    half = await mkdtemp(join(tmpdir(), 'narrows-half-'));
    session = await startSession({
      mounts: [
        ['/tiny/', tiny.files.name],
        ['/half/', half],
      ],
    });
    ({ page, said } = await session.open());
  }, SLOW);
  afterAll(async () => {
    await session?.close();
    await tiny?.release();
    await tiny?.remove();
    if (half) await rm(half, { recursive: true });
  });

  it(
    'every method gives the maps of Node',
    async () => {
      const methods = smallMethods();
      const { image, text } = PAIRS[1];
      const there = await ask<Record<string, Values>>(page, 'worker', 'maps', { ...TINY, text, methods });
      const model = tiny;
      const far: Record<string, number> = {};
      for (const [name, options] of methods) {
        await using method = createMethod(name as 'auto', model, options as never);
        const here = valuesOf(await method.attribute({ image, text }));
        const worst = Math.max(
          difference(there[name].image, here.image),
          difference(there[name].text, here.text),
          difference(there[name].interactions, here.interactions),
        );
        if (!(worst <= (ROUNDING[name] ?? 1e-4))) far[name] = worst;
        // Here the place is a directory's whole path.
        expect(there[name].warnings, name).toEqual(here.warnings.map(said => said.replace(`${tiny.files.name}/`, 'tiny/')));
        expect(there[name].model).toBe(here.model);
        expect(Math.abs(there[name].cosine! - here.cosine!)).toBeLessThan(1e-6);
      }
      expect(far).toEqual({});
      expect(methods.length).toBeGreaterThanOrEqual(37);
    },
    SLOW,
  );

  it(
    'the shipped model gives the maps of Node, in a worker and in the page itself',
    async () => {
      const methods: [string, object][] = [['m2ib', { steps: 3 }]];
      await using model = await loadModel('scene-clip', { runtime: nodeRuntime({ threads: 1 }) });
      await using method = createMethod('m2ib', model, { steps: 3 });
      const here = valuesOf(await method.attribute({ image: await decodeImage(scene), text: PAIR.text }));
      for (const place of ['worker', 'page'] as const) {
        const { m2ib } = await ask<Record<string, Values>>(page, place, 'maps', { ...PAIR, methods });
        expect(difference(m2ib.image, here.image)).toBeLessThan(1e-4);
        expect(difference(m2ib.text, here.text)).toBeLessThan(1e-4);
        expect(m2ib.model).toBe(here.model);
      }
    },
    SLOW,
  );

  it(
    'a checkpoint of float16 weights gives the maps of Node',
    async () => {
      await cp(tiny.files.name, half, { recursive: true });
      await writeHalfWeights(tiny.files.name, half);
      const { image, text } = PAIRS[1];
      const methods: [string, object][] = [['m2ib', { steps: 3 }]];
      const { m2ib } = await ask<Record<string, Values>>(page, 'worker', 'maps', { ...TINY, model: '/half/', text, methods });
      await using model = await CLIPModel.fromFiles(diskFiles(half), { runtime: nodeRuntime({ threads: 1 }) });
      await using method = createMethod('m2ib', model, { steps: 3 });
      const here = valuesOf(await method.attribute({ image, text }));
      expect(m2ib.model).toBe(here.model);
      expect(m2ib.model).not.toBe(await tiny.sha256());
      expect(difference(m2ib.image, here.image)).toBeLessThan(1e-4);
      expect(difference(m2ib.text, here.text)).toBeLessThan(1e-4);
    },
    SLOW,
  );

  it.each([1, 2])(
    'every op and its gradients hold on %d threads',
    async threads => {
      // Threads are the module's, so that each number has a page of its own.
      const { page: own } = threads === 1 ? { page } : await session.open();
      expect(await ask(own, 'worker', 'isolated')).toBe(true);
      const runtime = browserRuntime(own, { threads });
      const wrong: string[] = [];
      for (const [family, rows] of Object.entries(families))
        for (const row of rows) await checkCase(runtime, row).catch(error => wrong.push(`${family}, ${titleOf(row)}: ${error.message}`));
      expect(wrong).toEqual([]);
    },
    SLOW,
  );

  it(
    "the official M2IB's golden, and all that PyTorch says of a tiny CLIP, hold",
    async () => {
      const directory = fileURLToPath(new URL('../models/testdata/clip-tiny-b', import.meta.url));
      await using model = await CLIPModel.fromFiles(diskFiles(directory), { runtime: browserRuntime(page, { threads: 1 }) });
      for (const file of ['m2ib.safetensors', 'outputs.safetensors']) {
        const report = await verifyReference({ model, referencePath: `${directory}/${file}` });
        expect(report.counts.failed, file).toBe(0);
        expect(report.counts.passed, file).toBeGreaterThan(5);
      }
    },
    SLOW,
  );

  it('complains of nothing', () => expect(said).toEqual([]));
});

it.skipIf(!browserHere)(
  'a page that is not isolated says that it has one thread, and gives the same maps',
  async () => {
    const session = await startSession({ isolated: false });
    try {
      const { page } = await session.open();
      const methods = [['m2ib', { steps: 2 }]];
      const two = await ask<Record<string, Values>>(page, 'worker', 'maps', { ...PAIR, runtime: { threads: 2 }, methods });
      const one = await ask<Record<string, Values>>(page, 'worker', 'maps', { ...PAIR, methods });
      expect(two.m2ib.runtime).toContain('1 thread of 2: not cross-origin isolated');
      expect(one.m2ib.runtime).not.toContain('thread');
      expect(two.m2ib.image).toEqual(one.m2ib.image);
    } finally {
      await session.close();
    }
  },
  SLOW,
);
