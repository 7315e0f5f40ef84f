import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLIPModel } from '../../models/pretrained.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { MethodEntry } from '../method.ts';
import { createMethod, pairMethods } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { PAIRS, tinyPairModel } from '../testing/tiny-pairs.ts';

let tiny: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  tiny = await tinyPairModel();
});
afterAll(async () => {
  await tiny.release();
  await tiny.remove();
});

/** The Node runtime, with the number of sessions that are open now, and the most that ever were. */
function countingRuntime(): { runtime: Runtime; sessions: { open: number; most: number; compiled: number } } {
  const sessions = { open: 0, most: 0, compiled: 0 };
  const runtime = nodeRuntime();
  const compile: Runtime['compile'] = async (model, options) => {
    const executable = await runtime.compile(model, options);
    sessions.compiled++;
    sessions.most = Math.max(sessions.most, ++sessions.open);
    const release = executable.release.bind(executable);
    return Object.assign(executable, {
      release: async () => {
        sessions.open--;
        await release();
      },
    });
  };
  return { runtime: { ...runtime, compile }, sessions };
}

/** @param close whether the run is given `closeGraphs` */
async function explain(name: string, close: boolean, seeds = 1) {
  const { runtime, sessions } = countingRuntime();
  await using model = await CLIPModel.fromPretrained(tiny.checkpoint.directory, { runtime, keepSessions: false });
  const found = pairMethods().find(m => m.name === name)!;
  const open: MethodEntry = { ...found, explain: (run, options) => found.explain({ ...run, closeGraphs: undefined }, options) };
  const method = createMethod(close ? found : open, model, {});
  const [result] = await method.attributeAll(PAIRS.slice(0, 1), { seeds, seed: 3 });
  const left = sessions.open;
  await method.release();
  return { result, ...sessions, left };
}

const values = ({ image, text }: Attribution) => [[...image!.tokens], text!.tokens.map(t => t.value)];

it.each(['gated-gradients', 'm2ib', 'layer-integrated-gradients', 'nib', 'iba'])(
  '%s holds one graph at a time where sessions are not kept, and its maps are the same bit for bit',
  async name => {
    const kept = await explain(name, false);
    const closed = await explain(name, true);
    expect(values(closed.result)).toEqual(values(kept.result));
    expect([closed.most, closed.left]).toEqual([1, 0]);
    // Else the count would say nothing.
    expect(kept.most).toBeGreaterThan(1);
  },
);

it('further seeds run the graphs of the first, which are closed behind the last', async () => {
  const one = await explain('gated-gradients', true);
  const three = await explain('gated-gradients', true, 3);
  expect(three.compiled - one.compiled).toBeLessThan(one.compiled);
  expect(three.left).toBe(0);
  expect(values(three.result)).toEqual(values((await explain('gated-gradients', false, 3)).result));
});
