/** @file The pieces of a ROAR+ run: pairs without what a map holds highest, retrieval on them, a training on them; in this thread or in a worker. */
import { z } from 'zod';
import type { Attributor } from '../../attribution/attributor.ts';
import { createMethod, findMethod } from '../../attribution/registry.ts';
import type { Outcome, TaskHooks } from '../../jobs/cell.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { parseArguments } from '../../tuning/arguments.ts';
import { clipTrainingSchema } from '../../tuning/clip/arguments.ts';
import { trainClip } from '../../tuning/clip/train.ts';
import { filePairs, type WrittenPair, writePairs } from './folder.ts';
import { chunksOf, type RoarJob, type RoarSpec, roarKey, UNTOUCHED } from './plan.ts';
import { type FilePair, retrieval } from './retrieval.ts';

const pairsSchema = z.strictObject({
  pairs: z.array(z.strictObject({ image: z.string(), bytes: z.number(), caption: z.string() })),
});
const scoresSchema = z.strictObject({ scores: z.array(z.number()) });
/** A cell of a run. */
export const cellSchema = z.union([pairsSchema, scoresSchema]);
/** Pairs as a cell holds them. */
export type Pairs = z.infer<typeof pairsSchema>;
/** Retrieval per validation pair. */
export type Scores = z.infer<typeof scoresSchema>;
/** What a piece of work gives. */
export type RoarCell = z.infer<typeof cellSchema>;

/** Cells that others stand on. */
export interface RoarCells {
  result(key: string): RoarCell | undefined;
  failure(key: string): string | undefined;
}

/** What a run works with. */
export interface RoarSetup {
  readonly directory: string;
  readonly key: string;
  readonly spec: RoarSpec;
  readonly world: SceneWorld;
  readonly model: CLIPModel;
  /** Names the model, for the trainings. */
  readonly reference: string;
  /** What trainings run on; one of their own by default. */
  readonly runtime?: Runtime;
  /** What trainings say that is no warning. */
  readonly debug?: (message: string) => void;
}

/** A run at work, with a model that stays the caller's. */
export class RoarWork {
  private attributor: { readonly name: string; readonly method: Attributor } | undefined;

  constructor(private readonly setup: RoarSetup) {}

  /** Pairs of a split. @throws NarrowsError where some could not be made */
  private pairs(name: string, split: 'train' | 'validation', cells: RoarCells): WrittenPair[] {
    return chunksOf(this.setup.spec, name, split).flatMap(job => {
      const key = roarKey(this.setup.key, job);
      const cell = cells.result(key) as Pairs | undefined;
      if (!cell) throw new NarrowsError(`its ${split} pairs could not be made: ${cells.failure(key)}`);
      return cell.pairs;
    });
  }

  private async method(name: string): Promise<Attributor | undefined> {
    if (this.attributor?.name !== name) {
      await this.release();
      if (name !== UNTOUCHED) this.attributor = { name, method: createMethod(findMethod(name)!, this.setup.model) };
    }
    return this.attributor?.method;
  }

  /** Computes a piece. @param cells the pairs that it stands on */
  async run(job: RoarJob, cells: RoarCells, hooks: TaskHooks<RoarCell>): Promise<void> {
    await hooks.onCell(roarKey(this.setup.key, job), await this.outcome(job, cells, hooks));
  }

  private async outcome(job: RoarJob, cells: RoarCells, hooks: TaskHooks<RoarCell>): Promise<Outcome<RoarCell>> {
    const folder = join(this.setup.directory, job.name);
    try {
      if (job.kind === 'pairs') {
        const samples = job.split === 'train' ? this.setup.spec.samples : this.setup.spec.validationSamples;
        const { seed, percentile, modality } = this.setup.spec;
        const options = { world: this.setup.world, seed, percentile, modality, split: job.split, samples };
        return { result: { pairs: await writePairs(folder, options, job.from, await this.method(job.name), hooks) } };
      }
      const validation = filePairs(folder, this.pairs(job.name, 'validation', cells));
      if (job.kind === 'zero-shot') return { result: { scores: await retrieval(this.setup.model, validation) } };
      const training = this.pairs(job.name, 'train', cells);
      return { result: { scores: await this.train(folder, job.seed, { training, validation }, hooks) } };
    } catch (error) {
      hooks.signal?.throwIfAborted();
      // A full disk is no fault of the map: it ends the run.
      if (!(error instanceof NarrowsError) || (error.cause as { code?: string } | undefined)?.code) throw error;
      hooks.onWarning(`${job.name}: ${error.message}`);
      return { failure: error.message };
    }
  }

  /** Trains on a folder. @returns the retrieval per validation pair */
  private async train(
    folder: string,
    seed: number,
    { training, validation }: { readonly training: readonly WrittenPair[]; readonly validation: readonly FilePair[] },
    { signal, onProgress, onWarning }: TaskHooks<RoarCell>,
  ): Promise<number[]> {
    const output = join(folder, `run-${seed}`);
    const file = join(folder, 'train.jsonl');
    const lines = training.map(({ image, caption }) => `${JSON.stringify({ image, caption })}\n`);
    await writeFileAtomic(file, lines.join(''));
    const { maxSteps, batchSize, learningRate } = this.setup.spec;
    const args = parseArguments(
      clipTrainingSchema,
      {
        output_dir: output,
        model: this.setup.reference,
        train_file: file,
        max_steps: maxSteps,
        per_device_train_batch_size: batchSize,
        learning_rate: learningRate,
        weight_decay: 0.05,
        warmup_steps: 0.05,
        eval_steps: maxSteps,
        save_steps: maxSteps,
        save_total_limit: 1,
        seed,
      },
      'the training arguments',
    );
    // The run's bar is the only one.
    const debug = this.setup.debug ?? (() => {});
    const log: Logger = { info: debug, debug, warn: message => onWarning(message) };
    const { runtime } = this.setup;
    await trainClip(args, { runtime, signal, log, quiet: true, onProgress: (step, total) => onProgress(Math.min(0.99, step / total)) });
    signal?.throwIfAborted();
    await using model = await CLIPModel.fromPretrained(output, { runtime });
    return retrieval(model, validation);
  }

  async release(): Promise<void> {
    await this.attributor?.method.release();
    this.attributor = undefined;
  }
}
