/** @file `narrows models list`: the shipped checkpoints and the hub's cache. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readConfig } from '../../checkpoints/disk.ts';
import { listCached } from '../../checkpoints/hub/cache.ts';
import { cacheDirectory } from '../../checkpoints/hub/settings.ts';
import { bundledDirectory, bundledModels, DEFAULT_CHAT_MODEL, DEFAULT_MODEL } from '../../models/bundled.ts';
import { formatBytes } from '../../system/format.ts';
import type { CommandModule, Context } from '../command.ts';
import { examples } from '../flags.ts';

/** The model_type that a directory's config.json names. */
const modelType = (directory: string): Promise<string | null> =>
  readConfig(directory).then(
    config => (typeof config.model_type === 'string' ? config.model_type : null),
    () => null,
  );

/** Bytes of the files of a directory, subdirectories left out. */
export async function directoryBytes(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const sizes = await Promise.all(names.map(name => stat(join(directory, name)).then(s => (s.isFile() ? s.size : 0))));
  return sizes.reduce((a, b) => a + b, 0);
}

function configure(command: Command): void {
  command.addHelpText(
    'after',
    examples(['narrows models list', 'See what can be used without a download'], ['narrows models list --json', 'As JSON']),
  );
}

async function run(context: Context) {
  const shipped = await Promise.all(
    (await bundledModels()).map(async name => {
      const path = join(bundledDirectory(), name);
      const isDefault = name === DEFAULT_MODEL || name === DEFAULT_CHAT_MODEL;
      return { name, path, modelType: await modelType(path), bytes: await directoryBytes(path), default: isDefault };
    }),
  );
  const cached = await listCached();
  if (context.json) {
    context.print(JSON.stringify({ shipped, cached, cache: cacheDirectory() }));
    return undefined;
  }
  const { colours } = context;
  context.print(colours.style('bold', 'Shipped'));
  for (const m of shipped)
    context.print(
      `  ${m.name.padEnd(40)} ${formatBytes(m.bytes).padStart(9)}  ${m.modelType ?? ''}${m.default ? ' (default)' : ''}`.trimEnd(),
    );
  if (shipped.length === 0) context.print('  none');
  context.print(`${colours.style('bold', 'Cached')} in ${cacheDirectory()}`);
  for (const m of cached) {
    const revision = m.references.length ? m.references.join(', ') : m.revision.slice(0, 8);
    context.print(`  ${`${m.name}@${revision}`.padEnd(40)} ${formatBytes(m.bytes).padStart(9)}`);
  }
  if (cached.length === 0) context.print('  none; fetch one with narrows models download org/name');
  return undefined;
}

/** `narrows models list`. */
export const modelsListCommand: CommandModule = { configure, run };
