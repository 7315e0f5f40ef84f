/** @file Hyper-parameters, chosen by accuracy on validation scenes: one after the other, each among a few values. */
import { z } from 'zod';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type ConditionName, conditionOf, conditionsOf, passesOn } from './conditions.ts';
import type { PreparedExam } from './exams/exam.ts';
import { factsOf, type Laboratory, readOr, runAll, score, taskOf, toJson } from './laboratory.ts';
import { OutcomeStore } from './outcomes.ts';
import type { ExperimentSettings } from './settings.ts';
import type { Tunables } from './tune.ts';

const chosenSchema = z.looseObject({
  chosen: z.object({
    ...{ beta: z.number(), alpha_end: z.number(), bottleneck_layer: z.number(), weight_decay: z.number() },
    beta_pass: z.number().optional(),
  }),
  scores: z.array(z.looseObject({})).default([]),
});

/** Candidates for each hyper-parameter; chosen one after the other, the others at their defaults or as chosen before. */
const CANDIDATES: readonly { readonly condition: ConditionName; readonly key: keyof Tunables; readonly values: readonly number[] }[] = [
  { condition: 'vittle-f', key: 'beta', values: [0.01, 0.1, 1] },
  { condition: 'vittle-f', key: 'bottleneck_layer', values: [1, 2] },
  { condition: 'vittle-f', key: 'alpha_end', values: [0.25, 0.5] },
  { condition: 'weight-decay', key: 'weight_decay', values: [1, 10] },
];

/** That of the conditions that begin by passing on: their KL starts at more than a nat, so that the published form's β is no guide. */
const PASS_CANDIDATES: typeof CANDIDATES = [{ condition: 'vittle-f-pass', key: 'beta_pass', values: [0.001, 0.01, 0.1] }];

/** Hyper-parameters as the settings give them. */
export const givenTunables = ({ beta, alpha_end, bottleneck_layer, weight_decay, beta_pass }: ExperimentSettings): Tunables => ({
  ...{ beta, alpha_end, bottleneck_layer, weight_decay },
  // Names of folders are made of these: no key without a value.
  ...(beta_pass === undefined ? {} : { beta_pass }),
});

/**
 * Chooses hyper-parameters by accuracy on clean and corrupted validation scenes; seed 1000, which no test run has. What an earlier call chose
 * stays; conditions that came later add what is theirs. @param exams undefined where nothing is to be run
 */
export async function choose(laboratory: Laboratory, exams: readonly PreparedExam[] | undefined): Promise<Tunables> {
  const { output, start, settings, hooks } = laboratory;
  const path = join(output, 'chosen.json');
  const known = await readOr(path, chosenSchema, 'delete it to have the choice made again');
  const wanted = [...(known ? [] : CANDIDATES), ...(conditionsOf(settings).some(passesOn) ? PASS_CANDIDATES : [])].filter(
    ({ key }) => known?.chosen[key] === undefined,
  );
  if (known && (wanted.length === 0 || !exams)) return known.chosen;
  if (!exams)
    throw new NarrowsError(`${output} has no chosen.json: nothing was chosen yet, so there is nothing to report on.`, { kind: 'usage' });
  let chosen: Tunables = known?.chosen ?? givenTunables(settings);
  const scores: object[] = [...(known?.scores ?? [])];
  const store = new OutcomeStore(output, exams.map(factsOf), hooks.onWarning);
  const tuning = { ...settings, tune_steps: settings.choose_steps ?? settings.tune_steps };
  for (const { condition: name, key, values } of wanted) {
    const condition = conditionOf(name);
    const depth = start.source.config.text_config.num_hidden_layers;
    const candidates = values
      .filter(value => key !== 'bottleneck_layer' || value < depth)
      .map(value => {
        const tunables = { ...chosen, [key]: value };
        return { value, tunables, folder: `validation/${name}-${Object.values(tunables).join('-')}` };
      });
    // They do not depend on each other: several processes may run them at once.
    const plan = candidates.map(({ tunables, folder }) => taskOf({ condition, seed: 1000, settings: { ...tuning, ...tunables }, folder }));
    await runAll(laboratory, store, plan, { exams, split: 'validation' }, `Choosing ${key}`);
    let best: { value: number; score: number } | undefined;
    for (const { value, tunables, folder } of candidates) {
      const result = score(store.result(folder)!, exams);
      scores.push({ condition: name, ...tunables, accuracy: result });
      hooks.onResult?.(`validation, ${name}, ${key} ${value}: accuracy ${result.toFixed(3)}`);
      if (!best || result > best.score) best = { value, score: result };
    }
    chosen = { ...chosen, [key]: best!.value };
  }
  await writeFileAtomic(path, toJson({ chosen, scores }));
  return chosen;
}
