/** @file Asks sets of questions under scenarios: a plan of batches over files of answers, so that a stopped run goes on where it was. */
import { type AnswerRow, AnswersFile, answerId } from '../../generation/answers-file.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { Pool, Task } from '../../jobs/cell.ts';
import { localPool } from '../../jobs/local-pool.ts';
import { type RunHooks, runPlan, type Store } from '../../jobs/run.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Answer, Answerer } from './answerer.ts';
import { type Asked, AskedSet, batchesOf, lengthsOf } from './asked-set.ts';
import { type AskedOf, askBatch, type BatchMessage, cellKey, type Seat, seatsOf } from './asking.ts';
import { answersPath } from './folder.ts';
import { RowWriter } from './row-writer.ts';
import type { ShiftMeans } from './scenario.ts';

/** How a run is watched, and what its random numbers come from. */
export interface AnswerSetsOptions {
  readonly seed: number;
  readonly pictures?: ImageReadOptions;
  /** Textures, a translator, a reference size for shifts. */
  readonly means?: ShiftMeans;
  /** What tells these means from others: answers under other textures are not gone on with. */
  readonly meansKey?: unknown;
  readonly signal?: AbortSignal;
  readonly progress?: RunHooks<Answer>['progress'];
  /** Lines for a person: the estimate of the time. */
  readonly onInfo?: (message: string) => void;
  readonly onWarning?: (message: string) => void;
  /** Makes what asks instead of this thread. @param message what a worker, which has the same seats, is sent of a batch */
  readonly pool?: (message: (batch: Batch) => BatchMessage) => Pool<Batch, Answer>;
}

/** A question without an answer, and why. */
export interface Unanswered {
  readonly benchmark: string;
  readonly scenario: string;
  readonly key: string;
  readonly where: string;
  readonly reason: string;
}

/** What a run did. */
export interface AnswerSetsResult {
  /** Answers of this run, and those that were there before. */
  readonly answered: number;
  readonly before: number;
  readonly unanswered: readonly Unanswered[];
}

/** A scenario of a set while it is asked. */
interface Sitting extends Seat {
  readonly settings: string;
  readonly file: AnswersFile;
  readonly writer: RowWriter;
  readonly batches: readonly (readonly (readonly number[])[])[];
  readonly refused: ReadonlyMap<number, string>;
}

/** A batch of the plan. */
export interface Batch {
  readonly sitting: number;
  readonly numbers: readonly number[];
}

const keyOf = ({ question, prompt, repeat }: Asked) => ({ questionId: question.id, prompt, ...(repeat === undefined ? {} : { repeat }) });

/** The row of an answer, as LLaVA's files have it; `metadata.key` joins it to its question. */
function rowOf(answerer: Answerer, settings: string, { question, prompt, repeat }: Asked, answered: Answer): AnswerRow {
  const text = answered.text.trim();
  const repeated = repeat === undefined ? [] : [repeat];
  return {
    question_id: question.id,
    prompt,
    text,
    answer_id: answerId(answerer.modelId, settings, question.id, prompt, text, ...repeated),
    model_id: answerer.modelId,
    metadata: {
      key: question.key,
      finish: answered.finish,
      ...(answered.tokens === undefined ? {} : { tokens: answered.tokens }),
      settings,
      ...(repeat === undefined ? {} : { repeat }),
    },
  };
}

/** @throws NarrowsError (usage) for rows of another run */
const belongs =
  (modelId: string, settings: string) =>
  (row: AnswerRow, where: string): void => {
    const other =
      row.model_id !== modelId
        ? `of the model ${JSON.stringify(row.model_id)}`
        : row.metadata?.settings !== settings
          ? 'of other settings'
          : undefined;
    if (other) throw new NarrowsError(`${where} is an answer ${other}; choose another --output.`, { kind: 'usage' });
  };

async function openSittings(sets: readonly AskedOf[], output: string, options: AnswerSetsOptions): Promise<Sitting[]> {
  const sittings: Sitting[] = [];
  const paths = new Set<string>();
  try {
    for await (const seat of seatsOf(sets, options)) {
      const { given, scenario, asked } = seat;
      const { answerer } = given;
      const { name } = given.benchmark;
      const { lengths, refused } = lengthsOf(asked, text => answerer.length(text));
      const path = answersPath(output, name, scenario.name);
      // Names that differ in signs only would share a file, and one would take the answers of the other.
      if (paths.has(path))
        throw new NarrowsError(`Two scenarios of ${name} are called alike as files (${scenario.name}); give one another name.`, {
          kind: 'usage',
        });
      paths.add(path);
      const file = await AnswersFile.open(path, belongs(answerer.modelId, settingsOf(given, options)));
      if (file.mended) options.onWarning?.(`The last row of ${path} was cut short (${file.mended} bytes) and is answered again.`);
      const batches = batchesOf(lengths, answerer.batchSize);
      sittings.push({ ...seat, settings: settingsOf(given, options), file, writer: new RowWriter(file), batches, refused });
    }
  } catch (error) {
    for (const { file } of sittings) await file.close();
    throw error;
  }
  return sittings;
}

/** Of everything besides question and scenario that decides about an answer. */
const settingsOf = ({ answerer, prompt }: AskedOf, { seed, meansKey }: AnswerSetsOptions): string =>
  answerId(answerer.settings, prompt, seed, ...(meansKey === undefined ? [] : [meansKey])).slice(0, 12);

/** Batches in the order of work: a piece of the set is asked under all scenarios with the same pictures before the next piece. */
function planOf(sittings: readonly Sitting[], groups: readonly (readonly number[])[]): Task<Batch>[] {
  const tasks: Task<Batch>[] = [];
  for (const group of groups) {
    const pieces = Math.max(...group.map(s => sittings[s].batches.length));
    for (let piece = 0; piece < pieces; piece++)
      for (const sitting of group)
        for (const numbers of sittings[sitting].batches[piece] ?? [])
          tasks.push({
            input: { sitting, numbers },
            keys: numbers.map(i => cellKey(sitting, i)),
            units: numbers.length,
            kind: sittings[sitting].given.benchmark.name,
          });
  }
  return tasks;
}

/**
 * Asks what has no answer yet. Answers stand in `output/answers/SET/SCENARIO.jsonl`, in the order of the questions when the run ends.
 * @throws NarrowsError for files of another run, a full disk, an answerer that is lost; the signal's reason. Rows that were written stay
 */
export async function answerSets(sets: readonly AskedOf[], output: string, options: AnswerSetsOptions): Promise<AnswerSetsResult> {
  const { signal } = options;
  const sittings = await openSittings(sets, output, options);
  const groups: number[][] = [];
  let at = 0;
  for (const given of sets)
    for (const group of new AskedSet(given, options).groups()) {
      groups.push(group.map((_, i) => at + i));
      at += group.length;
    }
  const place = (key: string): readonly [number, number] => key.split('/').map(Number) as [number, number];
  const failed = new Map<string, Unanswered>();
  const fail = (s: number, i: number, reason: string): void => {
    const { given, scenario, asked } = sittings[s];
    const { key, where } = asked[i].question;
    failed.set(cellKey(s, i), { benchmark: given.benchmark.name, scenario: scenario.name, key, where, reason });
  };
  sittings.forEach(({ refused }, s) => {
    for (const [i, reason] of refused) fail(s, i, reason);
  });
  const has = (s: number, i: number): boolean => sittings[s].file.has(keyOf(sittings[s].asked[i]));
  let [answered, tokens] = [0, 0];
  const before = sittings.reduce((sum, { asked, file }) => sum + asked.filter(one => file.has(keyOf(one))).length, 0);

  const messageOf = ({ sitting, numbers }: Batch): BatchMessage => {
    const { asked, refused } = sittings[sitting];
    const open = numbers.filter(i => !refused.has(i));
    return { seat: sitting, open, keys: open.map(i => asked[i].question.key), fresh: open.filter(i => !has(sitting, i)) };
  };
  const store: Store<Answer> = {
    has: key => failed.has(key) || has(...place(key)),
    async put(key, outcome) {
      const [s, i] = place(key);
      if ('failure' in outcome) return fail(s, i, outcome.failure);
      const { given, settings, asked, writer } = sittings[s];
      writer.add(rowOf(given.answerer, settings, asked[i], outcome.result));
      answered++;
      tokens += outcome.result.tokens ?? 0;
      await writer.settle();
    },
  };
  const pool = options.pool?.(messageOf) ?? localPool<Batch, Answer>((batch, on) => askBatch(sittings, messageOf(batch), on));
  const began = performance.now();
  try {
    await runPlan(planOf(sittings, groups), store, pool, {
      label: 'Answering',
      unit: 'questions',
      signal,
      progress: options.progress,
      onInfo: options.onInfo,
      onWarning: options.onWarning,
      note: () => (tokens === 0 ? undefined : `${Math.round(tokens / Math.max(0.001, (performance.now() - began) / 1000))} tokens/s`),
    });
    for (const { file, asked } of sittings) await file.finish(asked.map(keyOf));
  } catch (error) {
    for (const { file } of sittings) await file.close().catch(() => {});
    throw error;
  }
  return { answered, before, unanswered: [...failed.values()] };
}
