/**
 * @file The start before any tuning, in the exams of the conditions: whether tuning gains or costs anything at all. It is no condition, and nothing is
 * tested against it.
 */
import { CONDITIONS } from './conditions.ts';
import type { PreparedExam } from './exams/exam.ts';
import type { Laboratory } from './laboratory.ts';
import { measure } from './measure.ts';
import type { RunOutcome } from './outcome.ts';
import type { OutcomeStore } from './outcomes.ts';
import { conditionArguments, conditionTask, type Tunables } from './tune.ts';

/** What stands in the condition's place. */
const UNTUNED = 'untuned';
const KEY = `runs/${UNTUNED}-0`;

/** Takes up what is known of the start. */
export const lookAtStart = (store: OutcomeStore): Promise<void> => store.look(KEY, UNTUNED, 0);

/** The start's answers, where they are known. */
export const startOutcome = (store: OutcomeStore): RunOutcome | undefined => store.result(KEY);

/** Has the start sit the exams, where it has not. */
export async function examineStart(
  { runtime, output, start, settings, hooks }: Laboratory,
  tunables: Tunables,
  exams: readonly PreparedExam[],
  store: OutcomeStore,
): Promise<void> {
  await lookAtStart(store);
  if (store.has(KEY)) return;
  const { signal } = hooks;
  signal?.throwIfAborted();
  // All of projector and decoder, as they are before the first update.
  const [plain] = CONDITIONS;
  const all = { ...settings, ...tunables };
  const task = await conditionTask(runtime, plain, conditionArguments(plain, 0, all, output), start, all, message =>
    hooks.onWarning?.(message),
  );
  try {
    const outcomes = await measure(task, start.source.config, exams, all.bottleneck_layer, { words: false, signal });
    await store.put(KEY, { result: { condition: UNTUNED, seed: 0, outcomes } });
  } finally {
    await task.close();
  }
}
