/** @file `narrows experiment vittle-scenes`: the Vittle experiment on the built-in scenes, as one command that goes on where it stopped. */
import type { Command } from 'commander';
import { runExperiment } from '../../experiments/vittle-scenes/run.ts';
import { experimentSchema } from '../../experiments/vittle-scenes/settings.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { MAX_THREADS } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseArguments } from '../../tuning/arguments.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { EXIT } from '../errors.ts';
import { examples, integer, list, snake } from '../flags.ts';
import { addSchemaFlags, schemaValues } from '../schema-flags.ts';

function configure(command: Command): void {
  command.requiredOption('--output <dir>', 'directory of the experiment; the same command again resumes it');
  command.option('--num-threads <n>', 'threads of the engine; 0: all cores', integer(0, MAX_THREADS), 0);
  addSchemaFlags(command, experimentSchema, 'Settings:', new Set(['seeds']));
  command.option('--seeds <n>', 'seeds per condition (default: 8; no verdict is given on fewer)', integer(1, 1000));
  command.option('--only-seeds <list>', 'run only these seeds, from 0, to spread the runs over machines', list);
  command.option('--only-start', 'pre-train the start and end there; the same command without it goes on');
  command.option('--only-report', 'run nothing: report on what is finished, of all seeds');
  command.option('--emid', 'measure EMID of the runs whose answers are kept in words (seeds 0 to 2, with further exams), for the chain');
  command.option(
    '--resume-from <dir>',
    'take up the finished runs of another folder of the same experiment; their checkpoints are not needed',
  );
  command.addHelpText(
    'after',
    `\nIt pre-trains the start where there is none, chooses hyper-parameters on validation scenes (unless --no-choose), tunes the conditions with each seed, measures all\nof them on the exams, and writes report.md, chart.svg and results.json. Ctrl-C stops it; the same command resumes.\n${examples(
      ['narrows experiment vittle-scenes --output vittle --start start', 'Everything, from pre-training on'],
      [
        'narrows experiment vittle-scenes --config examples/pretrain-scene-llava.json --output vittle --only-start',
        'Only the start, by a recipe',
      ],
      ['narrows experiment vittle-scenes --output vittle --start scene-llava --tune-steps 300', 'From the shipped model, shorter runs'],
      ['narrows experiment vittle-scenes --output vittle --start start --conditions all', 'With all controls'],
    )}`,
  );
}

async function run(context: Context, options: Options) {
  const { output, numThreads, seeds, onlySeeds, onlyStart, resumeFrom, emid, onlyReport } = options as {
    output: string;
    numThreads: number;
    seeds?: number;
    onlySeeds?: string[];
    onlyStart?: boolean;
    resumeFrom?: string;
    emid?: boolean;
    onlyReport?: boolean;
  };
  const given = { ...fileValues(context), ...schemaValues(experimentSchema, options), ...(seeds === undefined ? {} : { seeds }) };
  const settings = parseArguments(experimentSchema, given, context.config?.file ?? 'the settings');
  const runtime = nodeRuntime({ threads: numThreads });
  try {
    const finished = await runExperiment(runtime, output, settings, {
      signal: context.signal,
      onlySeeds: onlySeeds?.map(Number),
      onlyStart,
      ...(context.crew ? { crew: { threads: context.crew, numThreads } } : {}),
      resumeFrom,
      emid,
      onlyReport,
      progress: bar => context.progress(bar),
      onResult: message => context.log.info(message),
      onWarning: message => context.log.warn(message),
    });
    context.status();
    if (!finished) return EXIT.interrupted;
    if (context.json) context.print(JSON.stringify(onlyStart ? { output, start: settings.start } : { output, finished }));
    else if (onlyStart) context.print(`${settings.start}: the start is there`);
    else context.print(`${output}: report.md, chart.svg, results.json`);
    return EXIT.done;
  } finally {
    await runtime.release();
  }
}

/** Settings of the config file, in the schema's names. @throws NarrowsError (usage) for a key that is none */
function fileValues(context: Context): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(context.config?.values ?? {})) {
    if (!(snake(key) in experimentSchema.shape))
      throw new NarrowsError(`${context.config?.file}: "${key}" is no setting; see narrows experiment vittle-scenes --help.`, {
        kind: 'usage',
      });
    out[snake(key)] = value;
  }
  return out;
}

/** `narrows experiment vittle-scenes`. */
export const experimentVittleCommand: CommandModule = { configure, run, rawConfig: true, shares: 'threads' };
