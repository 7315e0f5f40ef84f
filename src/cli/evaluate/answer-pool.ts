/** @file Who answers where several processes share the call: a worker thread of each, with a model and the sets of its own. */
import type { AnswerSetsOptions } from '../../evaluation/run/answer-sets.ts';
import { crewPool } from '../../jobs/crew-pool.ts';
import type { Context, Options } from '../command.ts';

/** What a worker thread starts with: everything as plain data. */
export interface AnswerStart {
  readonly options: Options;
  readonly given: readonly string[];
  readonly seed: number;
}

/** Makes the pool; undefined where this process works alone, or an endpoint answers, which waits more than it computes. */
export function answerPool({ crew, seed }: Context, options: Options, given: ReadonlySet<string>): AnswerSetsOptions['pool'] {
  if (!crew || options.endpoint !== undefined) return undefined;
  const workerData: AnswerStart = { options, given: [...given], seed };
  return message => crewPool(crew, { module: 'answer-worker', base: import.meta.url, workerData }, message);
}
