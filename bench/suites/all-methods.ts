/** @file Every gradient, layer, attention and bottleneck method once, both maps, against one map of the official M2IB in PyTorch. */
import type { Family } from '../../src/attribution/method.ts';
import { createMethod, pairMethods } from '../../src/attribution/registry.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { sum } from '../../src/tensor/statistics/descriptive.ts';
import { interleave, type Side } from '../rounds.ts';
import type { Context, Row, Suite, SuiteResult } from '../suite.ts';
import { b32Pair } from './b32-pair.ts';

const FAMILIES: readonly Family[] = ['gradient', 'layer-gradient', 'attention', 'bottleneck'];

async function run(context: Context): Promise<SuiteResult> {
  const { peer, threads, status } = context;
  const directory = await context.b32WithTokenizer();
  await using model = await CLIPModel.fromPretrained(directory, { runtime: nodeRuntime({ threads }) });
  const { pair, ids, pixels } = await b32Pair(model, await context.scratch());
  const entries = pairMethods().filter(m => FAMILIES.includes(m.family));
  const made = entries.map(entry => createMethod(entry, model));
  const each: number[][] = entries.map(() => []);
  const side: Side = {
    name: 'all methods',
    async run(round) {
      const seconds: number[] = [];
      for (const [i, method] of made.entries()) {
        const { timings } = await method.attribute(pair, { seed: Math.max(0, round) });
        const own = sum(Object.values(timings));
        seconds.push(own);
        if (round >= 0) each[i].push(own);
        else status(`    ${entries[i].name} ${own.toFixed(2)} s`);
      }
      return sum(seconds);
    },
  };
  const sides: Side[] = [side];
  if (peer && context.slowRounds > 0) {
    await peer.load(directory);
    const command = { cmd: 'official', ids, modality: 'image', layer: 9, beta: 0.1, steps: 10, batch: 10, pixels };
    sides.push({ name: 'official M2IB, one map', slow: true, warm: false, run: seed => peer.seconds({ ...command, seed }) });
  }
  const { 'all methods': values, ...rivals } = await interleave(sides, context);
  for (const method of made) await method.release();
  const rows: Row[] = [
    {
      name: `${entries.length} methods, image and caption`,
      unit: 's',
      values,
      rivals,
      aims: [{ rival: 'official M2IB, one map', atLeast: 1 }],
      notes: ['Each is called alone, as a user does: resizing, both towers and its maps. Graphs are compiled before.'],
    },
    ...entries.map((entry, i): Row => ({ name: entry.name, unit: 's', values: each[i] })),
  ];
  return { rows };
}

/** See the file's head. */
export const allMethods: Suite = {
  name: 'all-methods',
  about: "Every gradient, layer, attention and bottleneck method at its defaults, once, ViT-B/32's shape, 12 tokens, both maps.",
  run,
};
