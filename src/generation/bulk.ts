/** @file Answers to many questions, in batches of similar length, into a file that a stopped run goes on from. */

import { type ImageFolder, missingOf } from '../inputs/chat/read-conversations.ts';
import { decodeImage } from '../inputs/image/decode.ts';
import type { ImageReadOptions } from '../inputs/image/image-reading.ts';
import type { Task, TaskHooks } from '../jobs/cell.ts';
import { localPool } from '../jobs/local-pool.ts';
import { type RunHooks, runPlan, type Store } from '../jobs/run.ts';
import type { LlavaPrompt } from '../models/llava/decoding.ts';
import { NarrowsError } from '../system/errors.ts';
import { type AnswerRow, type AnswersFile, answerId } from './answers-file.ts';
import type { ChatModel } from './chat-model.ts';
import { type Generation, type GenerationOptions, generate } from './generate.ts';
import type { BulkQuestion } from './questions.ts';

/** How questions are answered. */
export interface BulkOptions {
  readonly images: ImageFolder;
  /** How picture files are read. */
  readonly pictures?: ImageReadOptions;
  readonly generation: GenerationOptions;
  /** Replaces the template's system text. */
  readonly system?: string;
  /** Questions at once. */
  readonly batchSize: number;
  /** What is written as `model_id`; the model's name by default. */
  readonly modelId?: string;
  /** Of everything besides the question that decides about an answer; stands in each row's metadata. */
  readonly settings: string;
  readonly signal?: AbortSignal;
  /** Makes the progress bar. */
  readonly progress?: RunHooks<AnswerRow>['progress'];
  /** How long questions took in an earlier run on the same file, and where this run's time is kept (see `PaceFile`). */
  readonly times?: Pick<Store<AnswerRow>, 'pace' | 'keepPace'>;
  /** Lines for a person: the estimate of the time. */
  readonly onInfo?: (message: string) => void;
  /** @param answered questions that have their answer, those of earlier runs included */
  readonly onProgress?: (answered: number, tokens: number) => void;
}

/** What a run did. */
export interface BulkResult {
  /** Answers of this run. */
  readonly answered: number;
  /** New tokens of this run. */
  readonly tokens: number;
}

/** Turns that are asked. */
const turnsOf = ({ messages }: BulkQuestion, system: string | undefined) =>
  system === undefined ? messages : [{ role: 'system' as const, content: system }, ...messages.filter(m => m.role !== 'system')];

/**
 * Numbers of the questions, batch by batch: the longest first, so that memory is at its most at once. It depends only on the questions, and
 * not on which are answered: a run that goes on makes the same batches, and so the same answers to the last bit.
 */
export function schedule(lengths: readonly number[], batchSize: number): number[][] {
  const order = [...lengths.keys()].sort((a, b) => lengths[b] - lengths[a] || a - b);
  return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) => order.slice(i * batchSize, (i + 1) * batchSize));
}

async function promptOf(chat: ChatModel, question: BulkQuestion, options: BulkOptions): Promise<LlavaPrompt> {
  try {
    const images = await Promise.all(question.images.map(image => decodeImage(options.images.path(image), options.pictures)));
    return chat.prompt(turnsOf(question, options.system), chat.pixels(images));
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    throw new NarrowsError(`${question.source}: ${error.message}`, { cause: error });
  }
}

/** Keys of a row that a question's own keys never replace. */
const ROW_KEYS = ['question_id', 'prompt', 'text', 'answer_id', 'model_id', 'metadata'];

function rowOf(chat: ChatModel, question: BulkQuestion, { text, ids, finish }: Generation, options: BulkOptions): AnswerRow {
  const model = options.modelId ?? chat.name;
  const said = text.trim();
  const { questionId, prompt, reference, repeat, further } = question;
  const [passed, covered] = [false, true].map(taken =>
    Object.fromEntries(Object.entries(further).filter(([key]) => ROW_KEYS.includes(key) === taken)),
  );
  return {
    ...{ question_id: questionId, prompt, text: said },
    answer_id: answerId(model, options.settings, questionId, prompt, said, ...(repeat === undefined ? [] : [repeat])),
    model_id: model,
    ...passed,
    metadata: {
      ...{ finish, tokens: ids.length, settings: options.settings },
      ...(reference === undefined ? {} : { reference }),
      ...(repeat === undefined ? {} : { repeat }),
      ...(Object.keys(covered).length ? { question: covered } : {}),
    },
  };
}

/** A task per batch; a question's cell is its place among all. */
const planAnswers = (lengths: readonly number[], batchSize: number): Task<readonly number[]>[] =>
  schedule(lengths, batchSize).map(batch => ({ input: batch, keys: batch.map(String), units: batch.length }));

/**
 * Answers the questions that the file has no answer to, and leaves its rows in the order of the questions. Random numbers are keyed by a
 * question's place among all.
 * @throws NarrowsError naming file and line for a question that cannot be asked (before the first answer), a damaged image, a full disk; the
 *   signal's reason. Rows that were written stay.
 */
export async function answerQuestions(
  chat: ChatModel,
  questions: readonly BulkQuestion[],
  file: AnswersFile,
  options: BulkOptions,
): Promise<BulkResult> {
  const { signal, batchSize, onProgress } = options;
  const lengths: number[] = [];
  for (const question of questions) {
    signal?.throwIfAborted();
    const [lost] = await missingOf(question, options.images);
    if (lost !== undefined) throw new NarrowsError(`${question.source}: there is no image ${options.images.path(lost)}.`);
    lengths.push(lengthOf(chat, question, options.system));
  }
  const plan = planAnswers(lengths, batchSize);
  const open = plan.map(({ input }) => input).filter(batch => batch.some(i => !file.has(questions[i])));
  const answeredOf = (): number => questions.reduce((sum, question) => sum + (file.has(question) ? 1 : 0), 0);
  let [answered, tokens, done] = [0, 0, answeredOf()];
  const prepare = (batch: readonly number[] | undefined): Promise<LlavaPrompt[]> => {
    const prompts = Promise.all((batch ?? []).map(i => promptOf(chat, questions[i], options)));
    // Reported when its turn comes.
    prompts.catch(() => {});
    return prompts;
  };
  const coming = new Map(open.slice(0, 1).map(batch => [batch, prepare(batch)]));
  const work = async (batch: readonly number[], hooks: TaskHooks<AnswerRow>): Promise<void> => {
    const prompts = await coming.get(batch)!;
    coming.clear();
    // The next pictures are read while this batch is answered.
    const next = open[open.indexOf(batch) + 1];
    if (next) coming.set(next, prepare(next));
    const fresh = new Set([...batch.keys()].filter(i => !file.has(questions[batch[i]])));
    let ended = 0;
    const answers = await generate(chat.model, prompts, {
      ...chat.options(options.generation),
      signal,
      batchSize,
      promptNumbers: batch,
      onAnswer: (prompt, answer) => {
        if (!fresh.has(prompt)) return;
        tokens += answer.ids.length;
        onProgress?.(done + ++ended, tokens);
        hooks.onProgress(Math.min(0.99, (batch.length - fresh.size + ended) / batch.length));
      },
    });
    for (const i of fresh) await hooks.onCell(`${batch[i]}`, { result: rowOf(chat, questions[batch[i]], answers[i], options) });
    answered += fresh.size;
    done += fresh.size;
  };
  const store: Store<AnswerRow> = {
    has: key => file.has(questions[Number(key)]),
    put: async (_, outcome) => {
      if ('result' in outcome) await file.append([outcome.result]);
    },
    pace: kind => options.times?.pace?.(kind),
    keepPace: async (kind, pace) => options.times?.keepPace?.(kind, pace),
  };
  const began = performance.now();
  await runPlan(plan, store, localPool(work), {
    label: 'Answering',
    unit: 'questions',
    signal,
    progress: options.progress,
    onInfo: options.onInfo,
    note: () => `${Math.round(tokens / Math.max(0.001, (performance.now() - began) / 1000))} tokens/s`,
  });
  await file.finish(questions);
  return { answered, tokens };
}

/** Tokens of a question, images included, without reading its images. @throws NarrowsError naming where it stands if it cannot be asked */
function lengthOf(chat: ChatModel, question: BulkQuestion, system: string | undefined): number {
  try {
    return chat.length(turnsOf(question, system));
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    throw new NarrowsError(`${question.source}: ${error.message}`, { cause: error });
  }
}
