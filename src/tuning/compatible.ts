/** @file Which arguments may differ between a run and its resumption. */

import { readFile } from '../node/disk.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { parsePlain } from '../system/json-depth.ts';
import { listCheckpoints } from './checkpointing.ts';

/** Arguments without effect on weights beyond rounding; a moved train_file is the same where its hash is, which the trainer compares. */
const FREE = new Set([
  ...['output_dir', 'train_file', 'data_path', 'image_folder', 'save_total_limit', 'report_to', 'eval_samples', 'validation_file'],
  ...['num_threads', 'gradient_checkpointing', 'shard_optimizer'],
]);
/** Only the lines of metrics.jsonl and the checkpoints move. */
const RHYTHM = new Set(['logging_steps', 'eval_steps', 'save_steps']);
/** They change the course of the learning rate. */
const SCHEDULE = new Set([
  'max_steps',
  'num_train_epochs',
  'learning_rate',
  'mm_projector_lr',
  'lr_scheduler_type',
  'warmup_steps',
  'decay_steps',
]);

type Arguments = Readonly<Record<string, unknown>>;

/** Arguments that differ, as `key (was A, now B)`, keys in the order of `now`. */
function differences(saved: Arguments, now: Arguments, defaults: Arguments): { key: string; text: string }[] {
  const show = (value: unknown): string => (value === undefined ? 'not given' : JSON.stringify(value));
  return Object.keys({ ...saved, ...now }).flatMap(key => {
    // A checkpoint of an older version lacks newer arguments: they had the default's effect.
    const was = key in saved ? saved[key] : defaults[key];
    return JSON.stringify(was) === JSON.stringify(now[key]) ? [] : [{ key, text: `${key} (was ${show(was)}, now ${show(now[key])})` }];
  });
}

/**
 * Compares the arguments of a run with those in the newest checkpoint of its directory.
 * @param fixed arguments that a checkpoint depends on: shape, seed, data
 * @returns sentences to warn with
 * @throws NarrowsError (usage) naming every fixed argument that differs
 */
export async function compareWithCheckpoint(
  outputDirectory: string,
  now: Arguments,
  defaults: Arguments,
  fixed: ReadonlySet<string>,
): Promise<string[]> {
  for (const { directory, step } of (await listCheckpoints(outputDirectory)).reverse()) {
    const saved = await readFile(join(directory, 'training_args.json'), 'utf8')
      .then(
        text => parsePlain(text) as Arguments,
        () => undefined,
      )
      .catch(() => undefined);
    if (!saved) continue;
    const all = differences(saved, now, defaults).filter(d => !FREE.has(d.key));
    const list = (items: readonly { text: string }[]): string => items.map(d => d.text).join(', ');
    const wrong = all.filter(d => fixed.has(d.key));
    if (wrong.length)
      throw new NarrowsError(
        `${directory} was trained with other arguments: ${list(wrong)}; choose another output_dir or the same arguments.`,
        {
          kind: 'usage',
        },
      );
    const warnings: string[] = [];
    const schedule = all.filter(d => SCHEDULE.has(d.key));
    const rhythm = all.filter(d => RHYTHM.has(d.key));
    const other = all.filter(d => !SCHEDULE.has(d.key) && !RHYTHM.has(d.key));
    if (schedule.length) warnings.push(`From step ${step} on the learning rate takes another course: ${list(schedule)}.`);
    if (rhythm.length) warnings.push(`From step ${step} on figures and checkpoints come at other steps: ${list(rhythm)}.`);
    if (other.length) warnings.push(`From step ${step} on training goes another way than it began: ${list(other)}.`);
    return warnings;
  }
  return [];
}
