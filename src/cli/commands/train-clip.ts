/** @file `narrows train clip`: contrastive training on the built-in scenes or on image–caption pairs. */
import type { Command } from 'commander';
import { clipTrainingSchema } from '../../tuning/clip/arguments.ts';
import { trainClip } from '../../tuning/clip/train.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { addTrainingFlags, tellResult, trainingArguments } from '../training-command.ts';

function configure(command: Command): void {
  addTrainingFlags(command, clipTrainingSchema, [
    ['narrows train clip --output-dir run --max-steps 2000', 'Train on emoji scenes'],
    ['narrows train clip --output-dir run --train-file pairs.jsonl', 'Train on your own pairs, {"image": ..., "caption": ...} a line'],
    ['narrows attribute photo.png "a dog" --model run', 'Use the trained model'],
  ]);
}

async function run(context: Context, options: Options, _args: unknown, given: ReadonlySet<string>) {
  const args = trainingArguments('train clip', clipTrainingSchema, context, options, given);
  const result = await trainClip(args, { ranks: context.ranks, signal: context.signal, log: context.log, quiet: context.quiet });
  return tellResult(context, result, args.max_steps);
}

/** `narrows train clip`. */
export const trainClipCommand: CommandModule = { configure, run, rawConfig: true, shares: 'ranks' };
