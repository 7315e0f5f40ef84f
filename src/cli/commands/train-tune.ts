/** @file `narrows train tune`: stage 2 of LLaVA on conversations, whole, by LoRA, or through Vittle's bottleneck. */
import type { Command } from 'commander';
import { tuneTrainingSchema } from '../../tuning/llava/arguments.ts';
import { withPreset } from '../../tuning/llava/presets.ts';
import { trainLlava } from '../../tuning/llava/train.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { addTrainingFlags, tellResult, trainingArguments } from '../training-command.ts';

function configure(command: Command): void {
  addTrainingFlags(command, tuneTrainingSchema, [
    ['narrows train tune --method vittle --output-dir run --max-steps 500', 'Tune the shipped LLaVA on emoji scenes, through a bottleneck'],
    [
      'narrows train tune --method lora --model DIR --data-path chats.json --image-folder images --output-dir run',
      'Adapters, on your own data',
    ],
    ['narrows train tune --preset vittle-f --model DIR --data-path chats.json --output-dir run', 'The published recipe'],
  ]);
}

async function run(context: Context, options: Options, _args: unknown, given: ReadonlySet<string>) {
  const args = trainingArguments('train tune', tuneTrainingSchema, context, options, given, withPreset);
  const result = await trainLlava(args, { ranks: context.ranks, signal: context.signal, log: context.log, quiet: context.quiet });
  return tellResult(context, result, args.max_steps);
}

/** `narrows train tune`. */
export const trainTuneCommand: CommandModule = { configure, run, rawConfig: true, shares: 'ranks' };
