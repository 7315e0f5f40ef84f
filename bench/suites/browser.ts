/** @file M2IB's default maps in Chromium (WebAssembly) against Node, on one thread each; and a page from its start to its first map. */
import { createMethod, decodeImage, loadModel } from '../../src/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { INSTALL } from '../../src/web/testing/chromium.ts';
import { ask, browserHere, CLIP_FILES, startSession } from '../../src/web/testing/session.ts';
import { inRepository } from '../models.ts';
import { interleave } from '../rounds.ts';
import { type Context, type Suite, type SuiteResult, skipped } from '../suite.ts';

const TEXT = 'a cat and an umbrella';

async function run(context: Context): Promise<SuiteResult> {
  if (!browserHere) return skipped(INSTALL);
  const session = await startSession();
  try {
    const { page } = await session.open();
    const job = { model: '/models/scene-clip/', load: { files: CLIP_FILES }, picture: '/examples/scene.png', text: TEXT, method: 'm2ib' };
    const fresh: number[] = [];
    await using model = await loadModel('scene-clip', { runtime: nodeRuntime({ threads: 1 }) });
    await using method = createMethod('m2ib', model);
    const image = await decodeImage(inRepository('examples', 'scene.png'));
    const { Chromium: values, ...rivals } = await interleave(
      [
        { name: 'Chromium', run: async () => (await ask<number>(page, 'worker', 'timed', job)) / 1000 },
        {
          name: 'Node',
          async run() {
            const started = performance.now();
            await method.attribute({ image, text: TEXT });
            return (performance.now() - started) / 1000;
          },
        },
      ],
      context,
    );
    for (let i = 0; i < 3; i++) {
      const started = performance.now();
      const { page: own } = await session.open();
      await ask<number>(own, 'worker', 'timed', job);
      fresh.push((performance.now() - started) / 1000);
      await own.close();
    }
    return {
      rows: [
        {
          name: 'M2IB, both maps, scene-clip',
          unit: 's',
          values,
          rivals,
          aims: [{ rival: 'Node', atLeast: 1 / 3 }],
          notes: ['One thread each. The first maps of a page are slower, until V8 has compiled the module twice.'],
        },
        { name: 'page start to first map', unit: 's', values: fresh, aims: [{ atMost: 4 }] },
      ],
    };
  } finally {
    await session.close();
  }
}

/** See the file's head. */
export const browser: Suite = {
  name: 'browser',
  about: 'M2IB on the shipped CLIP in Chromium (WebAssembly, one thread) against Node, and a page from its start to its first map.',
  run,
};
