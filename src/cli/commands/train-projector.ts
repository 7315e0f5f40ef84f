/** @file `narrows train projector`: stage 1 of LLaVA, in which the projector learns to speak the decoder's language. */
import type { Command } from 'commander';
import { projectorTrainingSchema } from '../../tuning/llava/arguments.ts';
import { withPreset } from '../../tuning/llava/presets.ts';
import { trainLlava } from '../../tuning/llava/train.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { addTrainingFlags, tellResult, trainingArguments } from '../training-command.ts';

function configure(command: Command): void {
  addTrainingFlags(command, projectorTrainingSchema, [
    ['narrows train projector --model DIR --data-path captions.json --output-dir run', 'Train the projector on captions'],
    ['narrows train projector --preset llava-1.5-projector --model DIR --data-path captions.json --output-dir run', 'As LLaVA-1.5 did'],
    ['narrows train tune --model run --data-path chats.json --output-dir tuned', 'Stage 2, from the result'],
  ]);
}

async function run(context: Context, options: Options, _args: unknown, given: ReadonlySet<string>) {
  const args = trainingArguments('train projector', projectorTrainingSchema, context, options, given, withPreset);
  const result = await trainLlava(
    { ...args, method: 'projector' },
    { ranks: context.ranks, signal: context.signal, log: context.log, quiet: context.quiet },
  );
  return tellResult(context, result, args.max_steps);
}

/** `narrows train projector`. */
export const trainProjectorCommand: CommandModule = { configure, run, rawConfig: true, shares: 'ranks' };
