/**
 * @file Evaluations of a training run as long work: a cell per batch, keyed by weights, exam and arguments, kept until a checkpoint lies
 * beyond it. A run that was stopped inside an evaluation goes on with the batches that it lacks.
 */
import { z } from 'zod';
import type { Finished, Task, TaskHooks } from '../jobs/cell.ts';
import { localPool } from '../jobs/local-pool.ts';
import { type RunHooks, runPlan } from '../jobs/run.ts';
import { CellStore } from '../jobs/store.ts';
import { rm } from '../node/disk.ts';
import { createHash } from '../node/hash.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { version } from '../system/version.ts';

/** Lists of numbers by name, all finite: what a batch contributes. */
export type BatchFigures = Readonly<Record<string, readonly number[]>>;

/** Samples that go through the model together. */
export interface ExamBatch {
  /** Samples. */
  readonly units: number;
  /** Of everything that decides about the result and may change between two runs of the same arguments, such as files. */
  readonly key?: string;
  /** @throws NarrowsError for samples that cannot be read: the batch has failed, the training goes on */
  compute(): Promise<BatchFigures>;
}

/** Questions whose figures stand or fall together. */
export interface Exam {
  /** What is evaluated, in words. */
  readonly name: string;
  readonly batches: readonly ExamBatch[];
  /** The figures, keys begin with `eval_`. @param results of all batches in their order; @throws NarrowsError where there is none */
  figures(results: readonly BatchFigures[]): Readonly<Record<string, number>>;
}

/** What an evaluation gave; `eval_failed_batches` and `eval_failure` (a reason) where a part of it could not be computed. */
export type EvaluationMetrics = Readonly<Record<string, number | string>>;

/** The file of finished batches, in a run's directory while an evaluation is not yet behind a checkpoint. */
export const EVALUATION_FILE = 'evaluation.jsonl';

interface Weights {
  readonly name: string;
  readonly data: Float32Array;
}

interface Job {
  readonly key: string;
  readonly batch: ExamBatch;
}

type Watching = Pick<RunHooks<BatchFigures>, 'signal' | 'progress' | 'onInfo'> & { readonly onWarning?: (message: string) => void };

const schema = z.record(z.string(), z.array(z.number()));

function weightsHash(weights: readonly Weights[]): string {
  const hash = createHash('sha256');
  for (const { name, data } of weights) hash.update(`${name}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}

/** A batch's outcome; a value that is not finite is a failure, for a mean over it would say nothing. */
async function outcomeOf(batch: ExamBatch, signal: AbortSignal | undefined): Promise<Finished<BatchFigures>['outcome']> {
  try {
    const result = await batch.compute();
    for (const [name, values] of Object.entries(result)) {
      const wrong = values.find(value => !Number.isFinite(value));
      if (wrong !== undefined) return { failure: `${name} is ${wrong}.` };
    }
    return { result };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof NarrowsError) return { failure: error.message };
    throw error;
  }
}

/** The evaluations of one run. */
export class Evaluations {
  private store: CellStore<BatchFigures> | undefined;
  private readonly settings: string;

  /** @param args of the run: other arguments, other results */
  constructor(
    private readonly directory: string,
    args: Readonly<Record<string, unknown>>,
    private readonly hooks: Watching = {},
  ) {
    this.settings = JSON.stringify([version, { ...args, output_dir: undefined, num_threads: undefined }]);
  }

  private get path(): string {
    return join(this.directory, EVALUATION_FILE);
  }

  private async open(): Promise<CellStore<BatchFigures>> {
    const { onWarning } = this.hooks;
    // A training may move to another device, which it says; its evaluation moves with it.
    this.store ??= await CellStore.open(this.path, { kind: 'evaluation', version: 1, schema, device: 'cpu', onWarning });
    return this.store;
  }

  /**
   * Runs what is missing of an evaluation. @returns the figures; those of an exam with a failed batch are left out, and the reason is said
   * @throws NarrowsError where cells cannot be kept; the signal's reason when aborted: finished batches are kept
   */
  async run(step: number, exams: readonly Exam[], weights: readonly Weights[]): Promise<EvaluationMetrics> {
    const { signal, progress, onInfo, onWarning } = this.hooks;
    signal?.throwIfAborted();
    const base = [this.settings, weightsHash(weights)];
    const store = await this.open();
    const failures = new Map<string, string>();
    const jobs = exams.map(({ name, batches }) =>
      batches.map((batch, i): Job => {
        const text = JSON.stringify([...base, name, batches.length, i, batch.units, batch.key]);
        return { key: createHash('sha256').update(text).digest('hex').slice(0, 24), batch };
      }),
    );
    const plan = jobs.flat().map((job): Task<Job> => ({ input: job, keys: [job.key], units: job.batch.units }));
    const work = async ({ key, batch }: Job, on: TaskHooks<BatchFigures>): Promise<void> => on.onCell(key, await outcomeOf(batch, signal));
    await runPlan(plan, store, localPool(work), {
      ...{ label: 'Evaluating', unit: 'samples', signal, onInfo },
      progress: progress && (options => progress({ ...options, transient: true })),
      onCell: ({ key, outcome }) => {
        if ('failure' in outcome) failures.set(key, outcome.failure);
      },
    });
    const metrics: Record<string, number> = {};
    const reasons: string[] = [];
    for (const [i, exam] of exams.entries()) {
      const failed = jobs[i].flatMap(({ key }) => failures.get(key) ?? []);
      const reason =
        failed.length > 0
          ? `${failed.length} of ${jobs[i].length} ${jobs[i].length === 1 ? 'batch' : 'batches'} failed: ${failed[0]}`
          : addFigures(
              metrics,
              exam,
              jobs[i].map(({ key }) => store.result(key)!),
            );
      if (reason === undefined) continue;
      reasons.push(`${exam.name}: ${reason}`);
      onWarning?.(`Step ${step}, evaluation of ${exam.name}: ${reason} Its figures are left out.`);
    }
    if (reasons.length === 0) return metrics;
    return { ...metrics, eval_failed_batches: failures.size, eval_failure: reasons.join(' ') };
  }

  /** Forgets the finished batches, once a checkpoint lies beyond them. */
  async forget(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.store?.close();
    this.store = undefined;
  }
}

/** Adds an exam's figures, all of them or none. @returns why there is none */
function addFigures(metrics: Record<string, number>, exam: Exam, results: readonly BatchFigures[]): string | undefined {
  try {
    const figures = exam.figures(results);
    const wrong = Object.entries(figures).find(([, value]) => !Number.isFinite(value));
    if (wrong) return `${wrong[0]} is ${wrong[1]}.`;
    Object.assign(metrics, figures);
    return undefined;
  } catch (error) {
    if (error instanceof NarrowsError) return error.message;
    throw error;
  }
}
