/** @file M2IB with our default settings, as a user calls it, against our own official mode and the official code in PyTorch. */
import { M2IB } from '../../src/attribution/methods/m2ib.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { interleave, type Side } from '../rounds.ts';
import type { Context, Row, Suite, SuiteResult } from '../suite.ts';
import { b32Pair } from './b32-pair.ts';

async function run(context: Context): Promise<SuiteResult> {
  const { peer, threads } = context;
  const directory = await context.b32WithTokenizer();
  await using model = await CLIPModel.fromPretrained(directory, { runtime: nodeRuntime({ threads }) });
  const { pair, ids, pixels: file } = await b32Pair(model, await context.scratch());
  const methods = { default: new M2IB(model), official: new M2IB(model, { compat: 'm2ib-official', layer: 9, textLayer: 9 }) };
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const modality of ['image', 'text'] as const) {
    const side = (name: string, method: M2IB): Side => ({
      name,
      // The hash of the weights, computed once, is no part of these times; resizing and tokens are (a few milliseconds).
      async run(round) {
        const { timings, image, text } = await method.attribute(pair, { modality, seed: Math.max(0, round) });
        if (!(image ?? text)) throw new Error('There is no map.');
        return timings.encode + timings[`explain ${modality}`];
      },
    });
    const sides = [side('ours', methods.default), side('our official mode', methods.official)];
    if (peer && context.slowRounds > 0) {
      await peer.load(directory);
      const command = { cmd: 'official', ids, modality, layer: 9, beta: 0.1, steps: 10, batch: 10, pixels: file };
      sides.push({ name: 'official', slow: true, warm: false, run: round => peer.seconds({ ...command, seed: round }) });
    }
    const { ours: values, ...rivals } = await interleave(sides, context);
    const aims = [{ rival: 'our official mode', atLeast: 2 }, ...(modality === 'image' ? [{ rival: 'official', atLeast: 60 }] : [])];
    rows.push({ name: `${modality} map, defaults`, unit: 's', values, rivals, aims });
  }
  const { steps, batchSize, antithetic, alpha, normalisation, beta } = methods.default.options;
  notes.push(
    `Defaults: ${steps} steps × ${batchSize} samples${antithetic ? ' (antithetic)' : ''}, alpha per ${alpha}, normalisation ${normalisation}, beta ${beta}.`,
  );
  notes.push('Whether a default map is as stable and as well placed as an official one is measured by bench/evidence, not here.');
  for (const method of Object.values(methods)) await method.release();
  return { rows, notes };
}

/** See the file's head. */
export const m2ibDefault: Suite = {
  name: 'm2ib-default',
  about: "Maps with the default settings on ViT-B/32's shape, 12 tokens. Timed: resizing, both towers, optimisation.",
  run,
};
