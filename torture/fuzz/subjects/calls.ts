/** @file The words of calls, and settings files. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, type Option } from 'commander';
import { commands } from '../../../src/cli/commands/registry.ts';
import type { World } from '../../shared/world.ts';
import { json } from '../forms/json.ts';
import { options } from '../forms/options.ts';
import type { Subject } from '../subject.ts';

/** Flags that start a server, open a page or wait for somebody. */
const ENDLESS = new Set(['--endpoint', '--listen']);

async function flagsOf(name: string): Promise<string[]> {
  const entry = commands.find(one => one.name === name)!;
  const command = new Command(name);
  await (await entry.load()).configure(command);
  const long = command.options.map((option: Option) => option.long).filter(flag => flag !== undefined);
  return [...long, '--seed', '--json', '--config', '--debug'].filter(flag => !ENDLESS.has(flag));
}

/** Words of calls that end soon. `@` is the copy's folder. */
const calls = (world: World): string[][] => [
  ['attribute', world.at('disc.png'), 'a cat', '--model', world.at('clip'), '--method', 'm2ib', '--steps', '2', '--json', '--quiet'],
  ['attribute', world.at('disc.png'), 'a cat', '--model', world.at('clip'), '--method', 'rise', '--samples', '8', '--output', '@/x.svg'],
  [
    'attribute',
    '--pairs',
    world.at('images', 'pairs.csv'),
    '--model',
    world.at('clip'),
    '--method',
    'grad-cam',
    '--output',
    '@/out',
    '--workers',
    '0',
  ],
  ['shifts', 'gaussian_noise', world.at('disc.png'), '--severity', '3', '--output', '@/x.png'],
  ['shifts', 'keyboard', '--text', 'is there a cat in the picture', '--severity', '4'],
  ['scenes', '--count', '2', '--output', '@/scenes', '--styles', 'twemoji', '--max-objects', '2'],
  [
    'generate',
    '--model',
    world.at('llava'),
    '--input',
    world.at('questions.jsonl'),
    '--images',
    world.at('images'),
    '--output',
    '@/a.jsonl',
    '--max-new-tokens',
    '2',
  ],
  ['data', 'inspect', world.at('tune', 'data.json'), '--model', world.at('tune', 'model'), '--template', 'vicuna_v1', '--limit', '2'],
  ['models', 'info', world.at('clip'), '--json'],
  [
    'train',
    'clip',
    '--output-dir',
    '@/run',
    '--model',
    world.at('clip'),
    '--train-file',
    world.at('images', 'pairs.csv'),
    '--max-steps',
    '1',
    '--per-device-train-batch-size',
    '2',
    '--num-threads',
    '1',
  ],
  [
    'compare',
    '--methods',
    'random,uniform',
    '--metrics',
    'entropy',
    '--samples',
    '1',
    '--styles',
    'twemoji',
    '--model',
    world.at('clip'),
    '--modality',
    'image',
    '--workers',
    '0',
    '--output',
    '@/out',
  ],
];

const SETTINGS: readonly { readonly words: (world: World) => string[]; readonly values: object }[] = [
  {
    words: world => ['attribute', world.at('disc.png'), 'a cat', '--model', world.at('clip'), '--json', '--quiet'],
    values: { method: 'm2ib', steps: 2, beta: 0.5, layer: 1, seeds: 2, modality: 'image' },
  },
  {
    words: world => ['train', 'clip', '--model', world.at('clip'), '--train-file', world.at('images', 'pairs.csv'), '--quiet'],
    values: { output_dir: 'run', max_steps: 1, per_device_train_batch_size: 2, learning_rate: 1e-4, num_threads: 1, logging_steps: 1 },
  },
];

/** Calls with their own flags, and files of settings. */
export async function callSubjects(world: World): Promise<Subject[]> {
  const said = await Promise.all(
    calls(world).map(async (words, i): Promise<Subject> => {
      const folder = world.at('calls', String(i));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'call.json'), JSON.stringify(words));
      const name = words.slice(0, commands.some(one => one.name === words.slice(0, 2).join(' ')) ? 2 : 1).join(' ');
      return {
        ...{ kind: 'options', name: `${name} ${i}`, folder, file: 'call.json', form: options(await flagsOf(name)) },
        args: copy => (JSON.parse(readFileSync(join(copy, 'call.json'), 'utf8')) as string[]).map(word => word.replace(/^@\//, `${copy}/`)),
      };
    }),
  );
  const settings = SETTINGS.map(({ words, values }, i): Subject => {
    const folder = world.at('settings', String(i));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(values));
    const args = words(world);
    return {
      kind: 'settings',
      name: `settings of ${args[0]}`,
      folder,
      file: 'settings.json',
      form: json,
      args: copy => [...args, '--config', join(copy, 'settings.json')],
    };
  });
  return [...said, ...settings];
}
