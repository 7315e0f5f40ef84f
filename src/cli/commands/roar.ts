/** @file `narrows roar`: ROAR+ on scenes (evaluation/roar), its table and its JSON. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { pairMethods } from '../../attribution/registry.ts';
import type { RoarSpec } from '../../evaluation/roar/plan.ts';
import { roarMarkdown } from '../../evaluation/roar/report.ts';
import { runRoar } from '../../evaluation/roar/run.ts';
import { DEFAULT_MODEL } from '../../models/bundled.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { MAX_THREADS } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { EXIT } from '../errors.ts';
import { examples, integer, list, number } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { pluginOption } from '../plugins.ts';

function configure(command: Command): void {
  command
    .option('--methods <list>', 'methods to judge; the controls random and uniform are always included', list, ['m2ib'])
    .option('--model <name>', 'CLIP to start from', DEFAULT_MODEL)
    .addOption(new Option('--modality <side>', 'what is removed: patches or words').choices(['image', 'text']).default('image'))
    .option('--percentile <p>', 'percentile of a map above which patches or words are removed', number(1, 99), 75)
    .option('--samples <n>', 'pairs to train on', integer(64, 10_000_000), 1000)
    .option('--validation-samples <n>', 'pairs to evaluate on', integer(50, 10_000_000), 500)
    .option('--max-steps <n>', 'updates of each training; 0: zero-shot only', integer(0, 100_000_000), 200)
    .option('--batch-size <n>', 'pairs per update', integer(2, 65_536), 64)
    .option('--learning-rate <rate>', 'learning rate', number(0, 1), 3e-4)
    .option('--seeds <n>', 'trainings per method', integer(1, 100), 3)
    .option('--num-threads <n>', 'threads of the engine, of each process; 0: all cores', integer(0, MAX_THREADS), 0)
    .addOption(pluginOption())
    .requiredOption('--output <directory>', 'directory of pairs, runs and the table; the same command again resumes')
    .addHelpText('after', examples(['narrows roar --methods m2ib,grad-cam --output roar', 'Remove, train again, compare']));
}

async function run(context: Context, options: Options): Promise<number | undefined> {
  const directory = options.output as string;
  const wanted = [...new Set([...(options.methods as string[]), 'random', 'uniform'])];
  for (const name of wanted) {
    if (pairMethods().some(m => m.name === name)) continue;
    const near = didYouMean(
      name,
      pairMethods().map(m => m.name),
    );
    throw new NarrowsError(`There is no method "${name}"${near ? `; ${near}` : '.'}`, { kind: 'usage' });
  }
  const { output: _, config: __, numThreads, ...said } = options;
  const threads = numThreads as number;
  const settings = { ...said, seed: context.seed };
  const { modality, percentile, seeds, samples, validationSamples, maxSteps, batchSize, learningRate } = options as unknown as RoarSpec;
  const spec: RoarSpec = {
    ...{ methods: wanted, seed: context.seed, modality, percentile, seeds, samples, validationSamples, maxSteps, batchSize, learningRate },
  };
  const runtime = nodeRuntime({ threads });
  await using model = await CLIPModel.fromPretrained(options.model as string, { ...hubOptions(context), runtime });
  const { results, failures } = await runRoar(
    directory,
    spec,
    model,
    { reference: options.model as string, settings },
    {
      signal: context.signal,
      crew: context.crew,
      threads,
      plugins: options.plugin as string[] | undefined,
      log: context.log,
      progress: bar => context.progress(bar),
      onInfo: message => context.log.info(message),
      onWarning: message => context.log.warn(message, message),
    },
  );
  await writeFileAtomic(join(directory, 'roar.json'), JSON.stringify(results));
  await writeFileAtomic(join(directory, 'roar.md'), roarMarkdown(results));
  context.print(context.json ? JSON.stringify(results) : roarMarkdown(results));
  const left = Object.entries(failures);
  for (const [name, reason] of left) context.log.warn(`${name} is left out, the same command tries it again: ${reason}`);
  return left.length > 0 ? EXIT.failed : undefined;
}

/** `narrows roar`. */
export const roarCommand: CommandModule = { configure, run, shares: 'threads' };
