/** @file `--plugin FILE`: methods and metrics of one's own. Flags and help are made from the tables, so files are imported before parsing. */
import { Option } from 'commander';
import { collect } from './flags.ts';

/** The option; it may be given several times. */
export const pluginOption = (): Option =>
  new Option('--plugin <file>', 'module with your own methods and metrics; may be repeated (docs/plugins.md)').argParser(collect);

/** The files that a call names, before anything is parsed: `--plugin FILE`, `--plugin=FILE`. */
export function pluginsOf(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.flatMap((word, i) => {
    if (word.startsWith('--plugin=')) return [word.slice('--plugin='.length)];
    const next = words[i + 1];
    return word === '--plugin' && next !== undefined && !next.startsWith('--') ? [next] : [];
  });
}
