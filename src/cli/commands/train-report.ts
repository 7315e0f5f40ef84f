/** @file `narrows train report`: one page about a training run, from its own files. */
import type { Command } from 'commander';
import { writeTrainingReport } from '../../report/training/write-report.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples } from '../flags.ts';

function configure(command: Command): void {
  command
    .argument('<folder>', 'the --output-dir of a run of narrows train, finished or under way')
    .option('--output <file>', 'the page (default: report.html in the folder)')
    .addHelpText(
      'after',
      examples([
        'narrows train report run',
        'Loss, evaluations, KL, σ and learning rate over updates, settings, warnings, as one HTML page',
      ]),
    );
}

async function run(context: Context, options: Options, [folder]: readonly (string | undefined)[]) {
  const { run: read, path } = await writeTrainingReport(folder!, options.output as string | undefined);
  for (const warning of read.warnings) context.log.warn(warning);
  const { command, step, maxSteps, bestStep, finished, warnings } = read;
  if (context.json)
    context.print(JSON.stringify({ report: path, command, step, max_steps: maxSteps, best_step: bestStep, finished, warnings }));
  else context.print(path);
  return undefined;
}

/** `narrows train report`. */
export const trainReportCommand: CommandModule = { configure, run };
