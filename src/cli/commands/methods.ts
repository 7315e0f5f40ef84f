/** @file `narrows methods [NAME]`: the attribution methods, from the registry. */
import type { Command } from 'commander';
import { FAMILIES } from '../../attribution/method.ts';
import { AUTO_METHOD, explains, findMethod, methods } from '../../attribution/registry.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, nameAmong } from '../flags.ts';
import { pluginOption } from '../plugins.ts';
import { describeOptions, printOptions } from '../schema-flags.ts';
import { formatTable } from '../table.ts';

function configure(command: Command): void {
  command.argument(
    '[name]',
    'a method, to see its options, cost and paper',
    nameAmong(() => ['auto', ...methods.map(m => m.name)], 'method'),
  );
  command.addOption(pluginOption());
  command.addHelpText('after', examples(['narrows methods', 'List all methods'], ['narrows methods rise', 'Read about one']));
}

async function run(context: Context, _options: Options, [name]: readonly (string | undefined)[]) {
  const facts = methods.map(entry => ({
    ...{ name: entry.name, title: entry.title, family: entry.family, explains: explains(entry), modalities: entry.modalities },
    ...{ cost: entry.cost, paper: entry.paper, unit: entry.unit, signed: entry.signed, sampled: entry.sampled },
    recommended: entry.name === AUTO_METHOD,
  }));
  if (name === undefined) {
    if (context.json) context.print(JSON.stringify(facts));
    else {
      const sorted = FAMILIES.flatMap(family => facts.filter(f => f.family === family));
      const rows = sorted.map(f => [`${f.name}${f.recommended ? ' (auto)' : ''}`, f.family, f.explains, f.modalities.join('+'), f.cost]);
      context.print(formatTable(['method', 'family', 'explains', 'maps', 'cost'], rows, context.columns));
    }
    return undefined;
  }
  const entry = findMethod(name)!;
  if (context.json) context.print(JSON.stringify({ ...facts.find(f => f.name === entry.name), options: describeOptions(entry.schema) }));
  else {
    context.print(`${entry.title} (${entry.name})\n`);
    context.print(
      formatTable(
        ['', ''],
        [
          ['family', entry.family],
          ['explains', explains(entry)],
          ['maps', entry.modalities.join(' and ')],
          ['values', `${entry.unit}${entry.signed ? ', signed' : ''}${entry.sampled ? ', depend on the seed' : ''}`],
          ['cost', entry.cost],
          ['paper', entry.paper],
        ],
        context.columns,
      ),
    );
    const options = describeOptions(entry.schema);
    printOptions(context, options);
  }
  return undefined;
}

/** `narrows methods [NAME]`. */
export const methodsCommand: CommandModule = { configure, run };
