/** @file `narrows benchmarks [NAME]`: the sets of questions, from the registry. */
import type { Command } from 'commander';
import type { Benchmark } from '../../evaluation/benchmarks/benchmark.ts';
import { benchmarks, findBenchmark } from '../../evaluation/benchmarks/registry.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples } from '../flags.ts';
import { formatTable } from '../table.ts';

function configure(command: Command): void {
  command
    .argument('[name]', 'a benchmark, to read where its data are to be had and how they are read')
    .addHelpText(
      'after',
      examples(
        ['narrows benchmarks', 'List all benchmarks'],
        ['narrows benchmarks pope', 'Where to get POPE, and which files are read'],
        ['narrows evaluate --benchmark pope --data lmms-lab/POPE --model DIR --output out', 'Use one'],
      ),
    );
}

/** All but the functions; of prompts their names and sources. */
const factsOf = ({ load: _, readAnswers: __, prompts, ...facts }: Benchmark) => ({
  ...facts,
  prompts: Object.entries(prompts).map(([name, { source }]) => ({ name, source })),
});

/** Whether a set needs nothing, in one word for the table. */
const dataOf = ({ source }: Benchmark): string => (source.startsWith('built in') ? 'built in' : source.split(/;| on the /)[0]);

async function run(context: Context, _options: Options, [name]: readonly (string | undefined)[]) {
  if (name === undefined) {
    if (context.json) context.print(JSON.stringify(benchmarks.map(factsOf)));
    else {
      const rows = benchmarks.map(one => [one.name, one.kind, one.size, dataOf(one), one.scorers[0] ?? 'a judge']);
      context.print(formatTable(['benchmark', 'answers', 'size', 'data', 'scorer'], rows, context.columns));
    }
    return undefined;
  }
  const facts = factsOf(findBenchmark(name));
  if (context.json) context.print(JSON.stringify(facts));
  else {
    const rows = [
      ['asks', facts.summary],
      ['answers', facts.kind],
      ['size', facts.size],
      ['get it', facts.source],
      ['reads', facts.format],
      ['licence', facts.licence],
      ['scorers', facts.scorers.join(', ') || 'none: answers need a judge'],
      ...facts.prompts.map(({ name: prompt, source }, i) => [i === 0 ? 'prompts' : '', `${prompt}: ${source}`]),
      ['new tokens', `at most ${facts.maxNewTokens} unless asked for otherwise`],
      ['cite', facts.citation],
    ];
    context.print(`${facts.title} (${facts.name})\n\n${formatTable(['', ''], rows, context.columns)}`);
  }
  return undefined;
}

/** `narrows benchmarks [NAME]`. */
export const benchmarksCommand: CommandModule = { configure, run };
