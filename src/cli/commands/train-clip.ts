/** @file `narrows train clip`: contrastive training on the built-in scenes or on image–caption pairs. */
import type { Command } from 'commander';
import { NarrowsError } from '../../system/errors.ts';
import { formatNumber } from '../../system/format.ts';
import { parseArguments } from '../../tuning/arguments.ts';
import { clipTrainingSchema } from '../../tuning/clip/arguments.ts';
import { trainClip } from '../../tuning/clip/train.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { EXIT } from '../errors.ts';
import { examples, kebab, snake } from '../flags.ts';
import { addSchemaFlags, schemaValues } from '../schema-flags.ts';

function configure(command: Command): void {
  addSchemaFlags(command, clipTrainingSchema, 'Training arguments (as in transformers):', new Set(['seed']));
  command.addHelpText(
    'after',
    `\nA --config file has the same names as keys, in snake case: {"output_dir": "run", "learning_rate": 0.001}.\nCtrl-C writes a checkpoint; the same command goes on from it and ends in the same bits.\n${examples(
      ['narrows train clip --output-dir run --max-steps 2000', 'Train on emoji scenes'],
      ['narrows train clip --output-dir run --train-file pairs.jsonl', 'Train on your own pairs, {"image": ..., "caption": ...} a line'],
      ['narrows attribute photo.png "a dog" --model run', 'Use what came out'],
    )}`,
  );
}

/** The config file under the flags; both in the schema's own names. */
function mergeArguments(context: Context, options: Options, given: ReadonlySet<string>): Record<string, unknown> {
  const file: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(context.config?.values ?? {})) {
    const name = snake(key);
    if (!(name in clipTrainingSchema.shape))
      throw new NarrowsError(`${context.config?.file}: "${key}" is no training argument; see narrows train clip --help.`, {
        kind: 'usage',
      });
    file[name] = value;
  }
  const flags = schemaValues(clipTrainingSchema, options);
  if (!given.has('seed')) delete flags.seed;
  return { ...file, ...flags };
}

async function run(context: Context, options: Options, _args: unknown, given: ReadonlySet<string>) {
  const merged = mergeArguments(context, options, given);
  if (merged.output_dir === undefined)
    throw new NarrowsError(`The directory of the run is missing; give --${kebab('output_dir')} DIR.`, { kind: 'usage' });
  const args = parseArguments(clipTrainingSchema, merged, context.config?.file ?? 'the training arguments');
  const result = await trainClip(args, { signal: context.signal, log: context.log, quiet: context.quiet });
  if (context.json) context.print(JSON.stringify(result));
  else if (result.finished) {
    const figures = Object.entries(result.metrics).map(([key, value]) => `${key.slice(5).replaceAll('_', ' ')} ${formatNumber(value)}`);
    context.print(`${result.output_dir}: step ${result.step}${figures.length ? `; ${figures.join(', ')}` : ''}`);
  }
  if (result.finished) return EXIT.done;
  context.log.warn(`Stopped at step ${result.step} of ${args.max_steps}; the same command goes on from there.`);
  context.signal.throwIfAborted();
  return EXIT.interrupted;
}

/** `narrows train clip`. */
export const trainClipCommand: CommandModule = { configure, run, rawConfig: true };
