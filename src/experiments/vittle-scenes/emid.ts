/**
 * @file EMID of tuned models: how much less their answers say of pictures and questions under a shift. Pictures, questions and right answers are the
 * same in all runs, so that one estimator judges them all; of a run only its answers are needed, which its result holds.
 */

import { unitRows } from '../../evaluation/distances/rows.ts';
import { openEmiEncoders } from '../../evaluation/emi/encoders.ts';
import { fitEstimators, informationTerms } from '../../evaluation/emi/estimate.ts';
import { type EmbeddedItems, type EmiItem, embedSet } from '../../evaluation/emi/sets.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { type EmidTable, runName } from './cells.ts';
import type { PreparedExam } from './exams/exam.ts';
import { WORDED } from './measure.ts';
import type { RunOutcome } from './outcome.ts';

/** The closed questions of an exam. */
interface Part {
  readonly exam: PreparedExam;
  /** Numbers of its items. */
  readonly places: readonly number[];
  readonly embedded: EmbeddedItems;
}

const groupOf = ({ items }: PreparedExam, place: number): string => `${items[place].scene}`;

/** @param size pixels of a side */
function itemsFor(exam: PreparedExam, places: readonly number[], size: number): EmiItem[] {
  return places.map(place => {
    const { scene, question, answer } = exam.items[place];
    const read = async () => ({ width: size, height: size, data: exam.images[scene] });
    return { key: `${exam.origin![place]}`, pictures: [{ id: `${scene}`, read }], question, answer, reference: answer };
  });
}

/** What a run says to an item, as far as it is known: a wrong answer up to its first wrong token. */
function answerOf(run: RunOutcome, exam: PreparedExam, place: number): string {
  const { correct, wrong } = run.outcomes[exam.id];
  return correct[place] === '1' ? exam.items[place].answer : (wrong?.[place] ?? '');
}

/** Runs whose answers were kept in words. */
export const worded = (runs: readonly RunOutcome[]): RunOutcome[] => runs.filter(run => run.outcomes.clean?.wrong !== undefined);

/**
 * EMID of each run and shift, nats: the mean over the closed questions that both were asked, of what the clean answer is worth less what the shifted one
 * is.
 * @param model whose tower and token embeddings embed pictures and words: the start, the same for all runs
 * @param options.size pixels of a side @param options.steps of the estimator's training (see `ClubTraining`)
 * @throws NarrowsError where no run's answers were kept, or there is no shift to measure
 */
export async function measureEmid(
  runtime: Runtime,
  model: string,
  exams: readonly PreparedExam[],
  runs: readonly RunOutcome[],
  options: { readonly size: number; readonly steps?: number; readonly signal?: AbortSignal; readonly onStage?: (what: string) => void },
): Promise<EmidTable> {
  const { size, steps, signal, onStage } = options;
  const wanted = exams.filter(({ group, origin }) => WORDED.includes(group) && origin !== undefined);
  const known = worded(runs);
  if (known.length === 0 || wanted.length < 2)
    throw new NarrowsError('EMID needs runs whose answers were kept in words (of the seeds 0 to 2, with "further_exams"), and a shift.');
  await using encoders = await openEmiEncoders(model, model, { runtime });
  const parts: Part[] = [];
  for (const exam of wanted) {
    onStage?.(`embedding ${exam.id}`);
    const places = exam.items.flatMap(({ task }, i) => (task === 'caption' ? [] : [i]));
    parts.push({ exam, places, embedded: await embedSet(encoders, { name: exam.id, items: itemsFor(exam, places, size) }, signal) });
  }
  onStage?.('training the estimator');
  const groups = parts.map(({ exam, places }) => places.map(place => groupOf(exam, place)));
  const pairs = {
    groups: groups.flat(),
    z: parts.flatMap(({ embedded }) => [...embedded.z]),
    y: parts.flatMap(({ embedded }) => [...embedded.reference]),
  };
  const estimators = await fitEstimators(runtime, pairs, { steps, signal });
  const predictions = await Promise.all(parts.map(({ embedded }, i) => estimators.predict(embedded.z, groups[i])));
  const table: Record<string, Record<string, number>> = {};
  for (const run of known) {
    onStage?.(`EMID of ${runName(run)}`);
    const terms: Map<number, number>[] = [];
    for (const [i, { exam, places, embedded }] of parts.entries()) {
      signal?.throwIfAborted();
      const { rows } = await encoders.texts.embed(
        places.map(place => answerOf(run, exam, place)),
        `answers of ${exam.id}`,
      );
      const of = await informationTerms(runtime, predictions[i], { answer: unitRows(rows), reference: embedded.reference });
      terms.push(new Map(places.map((place, k) => [exam.origin![place], of.model[k] - of.reference[k]])));
    }
    const [clean, ...shifted] = terms;
    table[runName(run)] = Object.fromEntries(
      shifted.map((of, i) => [parts[i + 1].exam.id, mean([...of].map(([item, value]) => clean.get(item)! - value))]),
    );
  }
  return table;
}
