/** @file The whole measurement: models sit the suite, their answers are judged by EMI, and the chain is put together. */

import type { ClubEstimator } from '../../evaluation/emi/club-estimator.ts';
import { type EmiEncoders, openEmiEncoders } from '../../evaluation/emi/encoders.ts';
import { measureEmi } from '../../evaluation/emi/measure-emi.ts';
import type { EmiResults } from '../../evaluation/emi/results.ts';
import type { EmiSet } from '../../evaluation/emi/sets.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { chainOf, type ModelChain } from './chain.ts';
import { bottleneckLayer } from './observe.ts';
import { itemsFor, type Sat, type Sitting, sit } from './sitting.ts';
import { CONDITIONS, type SuiteItem } from './suite.ts';

/** How the promise is measured. */
export interface PromiseOptions {
  /** The first has the bottleneck whose block is looked at in all. */
  readonly models: readonly string[];
  /** Whose tower and token embeddings embed pictures and texts. */
  readonly encoder: string;
  readonly scenes: number;
  readonly signal?: AbortSignal;
  readonly onStage?: (what: string) => void;
  /** Sittings of before, by model: those are not sat again. */
  readonly sittings?: ReadonlyMap<string, Sitting>;
  readonly onSitting?: (sitting: Sitting) => Promise<void>;
}

/** What was measured. */
export interface PromiseResults {
  readonly schemaVersion: 1;
  readonly scenes: number;
  readonly questions: number;
  readonly chains: readonly ModelChain[];
  readonly emi: readonly EmiResults[];
}

/** A condition's answers as a set of EMI. */
function emiSet(items: readonly SuiteItem[], { condition, answers }: Sat): EmiSet {
  return {
    name: condition,
    items: items.map(({ scene, image, question, reference }, i) => ({
      key: String(i),
      pictures: [{ id: `scene ${scene}`, read: async () => image }],
      question,
      answer: answers[i],
      reference,
    })),
  };
}

/** Runs everything. @throws NarrowsError for models that cannot be opened, a first one without a bottleneck, or whose bottleneck this measurement does not know; the signal's reason */
export async function measurePromise(runtime: Runtime, options: PromiseOptions): Promise<PromiseResults> {
  const { models, encoder, scenes, signal, onStage = () => {} } = options;
  const sittings: Sitting[] = [];
  const items: SuiteItem[][] = [];
  let layer: number | undefined;
  const open = (name: string): Promise<ChatModel> => ChatModel.open(name, { runtime });
  for (const name of models) {
    if (layer === undefined) {
      await using first = await open(name);
      layer = await bottleneckLayer(first);
      if (layer === undefined) throw new NarrowsError(`${name} has no bottleneck; name the model that has one first.`, { kind: 'usage' });
      for (const condition of CONDITIONS) items.push(await itemsFor(first, condition, scenes));
    }
    const before = options.sittings?.get(name);
    const onCondition = (condition: string, done: number, of: number): void => onStage(`${name}: ${condition} (${done + 1} of ${of})`);
    const sitting = before ?? (await sit(() => open(name), { scenes, layer, signal, onCondition }));
    if (!before) await options.onSitting?.(sitting);
    sittings.push(sitting);
  }
  await using encoders: EmiEncoders = await openEmiEncoders(encoder, encoder, { runtime });
  const emi: EmiResults[] = [];
  let estimators: readonly ClubEstimator[] | undefined;
  for (const { model, conditions } of sittings) {
    const [source, ...targets] = conditions.map((sat, i) => emiSet(items[i], sat));
    const results = await measureEmi(runtime, encoders, source, targets, {
      signal,
      // References and inputs are the same for all models, so one training serves them.
      estimator: estimators,
      onStage: what => onStage(`${model}: ${what}`),
      onFitted: async fitted => {
        estimators ??= fitted;
      },
    });
    emi.push(results);
  }
  const chains = sittings.map((sitting, i) => chainOf(sitting, emi[i], items[0]));
  return { schemaVersion: 1, scenes, questions: items[0].length, chains, emi };
}
