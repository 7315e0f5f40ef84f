/** @file Attributions from attention: `image.raw_attention`, `image.rollout`, `image.chefer_last_layer` and `_all_layers`, over the patches. */

import type { MethodEntry } from '../../attribution/method.ts';
import { chefer } from '../../attribution/methods/chefer.ts';
import { rawAttention } from '../../attribution/methods/raw-attention.ts';
import { rollout } from '../../attribution/methods/rollout.ts';
import { floats } from '../../tensor/tensor.ts';
import { attributionInputs } from '../attribution-inputs.ts';
import type { Checker } from '../checker.ts';
import { explainTensors } from '../tensor-run.ts';
import type { ToleranceKind } from '../tolerance.ts';

interface Run {
  readonly entry: MethodEntry;
  readonly options: Record<string, unknown>;
  readonly kind: ToleranceKind;
}

const run = <O>(entry: MethodEntry<O>, kind: ToleranceKind, options: Record<string, unknown> = {}): Run => ({
  entry: entry as unknown as MethodEntry,
  options,
  kind,
});

/** In the order of the computation: without gradients first. */
const RUNS: ReadonlyMap<string, Run> = new Map([
  ['image.raw_attention', run(rawAttention, 'forward')],
  ['image.rollout', run(rollout, 'forward')],
  ['image.chefer_last_layer', run(chefer, 'gradient', { layers: 'last' })],
  ['image.chefer_all_layers', run(chefer, 'gradient', { layers: 'all' })],
]);

/** The methods with their defaults on the pair that the settings name. */
export const attributionAttentionChecker: Checker = {
  name: 'attributions from attention',
  role: name => (RUNS.has(name) ? 'value' : undefined),
  async *compute(context, names) {
    const inputs = await attributionInputs(context);
    if ('reason' in inputs) {
      for (const name of names) yield { name, reason: inputs.reason };
      return;
    }
    const { model } = context;
    for (const [name, { entry, options, kind }] of RUNS) {
      if (!names.includes(name)) continue;
      const { image } = await explainTensors(model, entry, inputs, { options, wanted: ['image'] });
      const patches = image![0].tokens.slice(model.image.prefixTokens);
      yield { name, kind, value: floats([patches.length], patches) };
    }
  },
};
