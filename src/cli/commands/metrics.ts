/** @file `narrows metrics [NAME]`: the metrics of attributions, from the registry. */
import type { Command } from 'commander';
import { CATEGORIES } from '../../evaluation/metrics/metric.ts';
import { findMetric, metrics } from '../../evaluation/metrics/registry.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, nameAmong } from '../flags.ts';
import { pluginOption } from '../plugins.ts';
import { describeOptions, printOptions } from '../schema-flags.ts';
import { formatTable } from '../table.ts';

const ARROWS = { higher: '↑ higher is better', lower: '↓ lower is better', none: 'neither is better' } as const;

function configure(command: Command): void {
  command.argument(
    '[name]',
    'a metric, to see how to read it and its options',
    nameAmong(() => metrics.map(m => m.name), 'metric'),
  );
  command.addOption(pluginOption());
  command.addHelpText('after', examples(['narrows metrics', 'List all metrics'], ['narrows metrics insertion', 'Read about one']));
}

async function run(context: Context, _options: Options, [name]: readonly (string | undefined)[]) {
  if (name === undefined) {
    const sorted = CATEGORIES.flatMap(category => metrics.filter(m => m.category === category));
    if (context.json) context.print(JSON.stringify(sorted.map(({ evaluate: _, schema: __, ...facts }) => facts)));
    else {
      const rows = sorted.map(m => [
        m.name,
        m.category,
        m.modalities.join('+'),
        { higher: '↑', lower: '↓', none: '·' }[m.direction],
        m.reading,
      ]);
      context.print(formatTable(['metric', 'category', 'maps', '', 'how to read it'], rows, context.columns));
    }
    return undefined;
  }
  const { evaluate: _, schema, ...facts } = findMetric(name)!;
  const options = describeOptions(schema);
  if (context.json) context.print(JSON.stringify({ ...facts, options }));
  else {
    context.print(`${facts.title} (${facts.name})\n`);
    const rows = [
      ['category', facts.category],
      ['judges', `maps of the ${facts.modalities.join(' and of the ')}`],
      ['unit', `${facts.unit}, ${ARROWS[facts.direction]}`],
      ['reading', facts.reading],
      ['needs', facts.needs.join(', ') || 'only the map'],
      ['source', facts.source],
    ];
    context.print(formatTable(['', ''], rows, context.columns));
    printOptions(context, options);
  }
  return undefined;
}

/** `narrows metrics [NAME]`. */
export const metricsCommand: CommandModule = { configure, run };
