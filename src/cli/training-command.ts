/** @file What the training commands share: arguments from the config file and flags, and how a run's end is reported. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { NarrowsError } from '../system/errors.ts';
import { formatNumber } from '../system/format.ts';
import { parseArguments } from '../tuning/arguments.ts';
import type { RunResult } from '../tuning/run.ts';
import type { Context, Options } from './command.ts';
import { EXIT } from './errors.ts';
import { examples, kebab, snake } from './flags.ts';
import { addSchemaFlags, schemaValues } from './schema-flags.ts';

/** Declares a schema's flags; the help ends with what holds for every run. */
export function addTrainingFlags(command: Command, schema: z.ZodObject, lines: [command: string, what: string][]): void {
  addSchemaFlags(command, schema, 'Training arguments (as in transformers):', new Set(['seed']));
  command.addHelpText(
    'after',
    `\nA --config file has the same names as keys, in snake case: {"output_dir": "run", "learning_rate": 0.001}.\nCtrl-C writes a checkpoint; the same command resumes from it and ends in the same bits.\n${examples(...lines)}`,
  );
}

/**
 * The config file under the flags; both in the schema's own names.
 * @param name of the command, for messages @param complete adds what is not given, such as a preset's values
 * @throws NarrowsError (usage) for a key that is no argument, a wrong value, or without a directory for the run
 */
export function trainingArguments<S extends z.ZodObject>(
  name: string,
  schema: S,
  context: Context,
  options: Options,
  given: ReadonlySet<string>,
  complete: (values: Record<string, unknown>) => Record<string, unknown> = values => values,
): z.infer<S> {
  const file: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(context.config?.values ?? {})) {
    const known = snake(key);
    if (!(known in schema.shape))
      throw new NarrowsError(`${context.config?.file}: "${key}" is no training argument; see narrows ${name} --help.`, { kind: 'usage' });
    file[known] = value;
  }
  const flags = schemaValues(schema, options);
  if (!given.has('seed')) delete flags.seed;
  const merged = complete({ ...file, ...flags });
  if (merged.output_dir === undefined)
    throw new NarrowsError(`The directory of the run is missing; give --${kebab('output_dir')} DIR.`, { kind: 'usage' });
  return parseArguments(schema, merged, context.config?.file ?? 'the training arguments') as z.infer<S>;
}

/** Prints where a run ended. @param maxSteps updates in all, where the arguments say it @returns the exit code */
export function tellResult(context: Context, result: RunResult, maxSteps?: number): number {
  if (context.json) context.print(JSON.stringify(result));
  else if (result.finished) {
    const figures = Object.entries(result.metrics).map(([key, value]) => `${key.slice(5).replaceAll('_', ' ')} ${formatNumber(value)}`);
    const best = result.bestStep === undefined ? '' : ` (weights of step ${result.bestStep}, the best)`;
    context.print(`${result.output_dir}: step ${result.step}${best}${figures.length ? `; ${figures.join(', ')}` : ''}`);
  }
  if (result.finished) return EXIT.done;
  context.log.warn(`Stopped at step ${result.step}${maxSteps ? ` of ${maxSteps}` : ''}; the same command resumes.`);
  context.signal.throwIfAborted();
  return EXIT.interrupted;
}
