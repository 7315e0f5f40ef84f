/** @file `narrows evaluate compare`: which of several models is better, where, by how much, and how sure that is. */
import type { Command } from 'commander';
import type { CommandModule } from '../command.ts';
import { compareFolders } from '../evaluate/compare-runs.ts';
import { examples, list } from '../flags.ts';

function configure(command: Command): void {
  command
    .argument('<folders...>', 'folders of narrows evaluate; the first one is what the others are compared with')
    .option('--scorer <name>', "scorer for all, such as official or strict (default: each set's first)", list)
    .option('--output <dir>', 'folder for the report: HTML, CSV, LaTeX, Markdown, SVG')
    .addHelpText('after', examples(['narrows evaluate compare out-baseline out-vittle', 'Two models over the same questions']));
}

/** `narrows evaluate compare`. */
export const evaluateCompareCommand: CommandModule = {
  configure,
  run: (context, options, [folders]) => compareFolders(context, folders as unknown as string[], options),
};
