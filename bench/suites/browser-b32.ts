/** @file The memory of a tab in which a CLIP of ViT-B/32's shape is loaded by ranges and explains a pair, with float32 and with float16 weights. */
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeHalfWeights } from '../../src/checkpoints/testing/half-weights.ts';
import { INSTALL } from '../../src/web/testing/chromium.ts';
import { ask, browserHere, type Session, startSession } from '../../src/web/testing/session.ts';
import { type Context, type Row, type Suite, type SuiteResult, skipped } from '../suite.ts';

const FILES = [
  'config.json',
  'model.safetensors',
  'preprocessor_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
];
const MB = 1e6;

/** Largest resident memory so far of the browser's processes of a kind, in bytes: the kernel's own peak, which misses nothing. */
async function peak(session: Session, type: 'renderer' | 'browser'): Promise<number> {
  const cdp = await session.browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const peaks = processInfo
    .filter(one => one.type === type)
    .map(async ({ id }) => 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0));
  await cdp.detach();
  return Math.max(0, ...(await Promise.all(peaks)));
}

async function run({ status, ...context }: Context): Promise<SuiteResult> {
  if (!browserHere) return skipped(INSTALL);
  if (process.platform !== 'linux') return skipped('memory is read from /proc, which only Linux has');
  const float32 = await context.b32WithTokenizer();
  const float16 = join(await context.scratch(), 'b32-half');
  status('  writing the weights as float16');
  await mkdir(float16);
  await cp(float32, float16, { recursive: true, filter: path => !/model\.safetensors$|[/\\]config\.json$/.test(path) });
  await writeHalfWeights(float32, float16);
  const rows: Row[] = [];
  for (const [dtype, folder] of Object.entries({ float32, float16 })) {
    // A browser of its own: peaks never fall.
    const session = await startSession({ mounts: [['/b32/', folder]] });
    try {
      const { page } = await session.open();
      const job = { model: '/b32/', load: { files: FILES }, picture: '/examples/scene.png', text: 'a photo of a cat and a dog on grass' };
      const started = performance.now();
      const map = await ask<number>(page, 'worker', 'timed', { ...job, method: 'm2ib' });
      const all = (performance.now() - started) / 1000;
      const renderer = (await peak(session, 'renderer')) / MB;
      status(`  ${dtype}: ${renderer.toFixed(0)} MB`);
      const seconds = `${(all - map / 1000).toFixed(1)} s to load, ${(map / 1000).toFixed(1)} s for the first maps (M2IB, picture and text)`;
      const browser = `the browser's own process ${((await peak(session, 'browser')) / MB).toFixed(0)} MB`;
      rows.push({ name: `${dtype} weights`, unit: 'MB', values: [renderer], aims: [{ atMost: 2200 }], notes: [`${seconds}; ${browser}.`] });
    } finally {
      await session.close();
    }
  }
  return {
    rows,
    notes: [
      'Random weights of ViT-B/32’s shape (605 MB, 303 as float16), over HTTP from this machine by ranges into the private file system.',
    ],
  };
}

/** See the file's head. */
export const browserB32: Suite = {
  name: 'browser-b32',
  about: 'Peak resident memory (VmHWM) of the tab in Chromium that loads and runs a CLIP of ViT-B/32 shape.',
  run,
};
