/** @file Who asks whom: every set under every scenario, and the asking of a batch, in this thread or in a worker. */
import type { TaskHooks } from '../../jobs/cell.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Answer, Answered, Answerer } from './answerer.ts';
import { type Asked, AskedSet, type SetToAsk } from './asked-set.ts';
import type { Scenario } from './scenario.ts';

/** A set with who answers it: sets may have answers of different length. */
export interface AskedOf extends SetToAsk {
  readonly answerer: Answerer;
}

/** A scenario of a set, ready to be asked. */
export interface Seat {
  readonly given: AskedOf;
  readonly scenario: Scenario;
  readonly asked: readonly Asked[];
}

/** What is asked at once: plain data, which may go to another process. */
export interface BatchMessage {
  /** Place among the seats of `seatsOf`. */
  readonly seat: number;
  /** Questions of the batch, all of which are asked: answers do not depend on where a run was stopped. */
  readonly open: readonly number[];
  /** Their keys: another process must have the very questions. */
  readonly keys: readonly string[];
  /** Those whose answers are wanted. */
  readonly fresh: readonly number[];
}

/** Key of a question's cell. */
export const cellKey = (seat: number, question: number): string => `${seat}/${question}`;

/** Every set under every scenario: a function of sets and options, so that all processes have the same seats. @throws the signal's reason */
export async function* seatsOf(
  sets: readonly AskedOf[],
  options: ConstructorParameters<typeof AskedSet>[1] & { readonly signal?: AbortSignal },
): AsyncGenerator<Seat> {
  for (const given of sets) {
    const set = new AskedSet(given, options);
    for (const scenario of set.groups().flat()) {
      options.signal?.throwIfAborted();
      yield { given, scenario, asked: await set.ask(scenario) };
    }
  }
}

/**
 * Asks a batch. What it gives are cells: answers, or why there is none.
 * @throws NarrowsError where the seats have other questions; what ends the whole run; the signal's reason
 */
export async function askBatch(seats: readonly Seat[], { seat, open, keys, fresh }: BatchMessage, hooks: TaskHooks<Answer>): Promise<void> {
  if (fresh.length === 0) return;
  if (open.some((i, k) => seats[seat]?.asked[i]?.question.key !== keys[k]))
    throw new NarrowsError(`A process of this call has no question ${keys[0]}, or another one: all must see the same --data.`);
  const { given, asked } = seats[seat];
  const wanted = new Set(fresh);
  const written: Promise<void>[] = [];
  const answer = (k: number, result: Answered): void => {
    const i = open[k];
    if (!wanted.has(i)) return;
    written.push(hooks.onCell(cellKey(seat, i), 'failure' in result ? result : { result }));
    hooks.onProgress(Math.min(0.99, written.length / fresh.length));
  };
  try {
    await given.answerer.answer(
      open.map(i => asked[i].turn),
      answer,
      hooks.signal,
    );
  } finally {
    await Promise.all(written);
  }
}
