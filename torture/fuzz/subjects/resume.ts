/** @file Folders of finished and half-finished runs, which the same call goes on with: what is damaged is made again, or refused. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { narrows } from '../../shared/call.ts';
import type { World } from '../../shared/world.ts';
import { bytes } from '../forms/bytes.ts';
import { json, jsonLines } from '../forms/json.ts';
import { safetensors } from '../forms/safetensors.ts';
import type { Form } from '../mutation.ts';
import type { Subject } from '../subject.ts';

interface Run {
  readonly name: string;
  /** Its call; `@` is its folder. */
  readonly words: readonly string[];
  /** A further call that reads what it left, in place of the same. */
  readonly reader?: readonly string[];
  /** What says what came out. */
  readonly outcome: readonly string[];
  /** Whether whatever is damaged must be made again, refused or said: the outcome follows from the call alone. */
  readonly follows: boolean;
  /** Which files are damaged, by the end of the name. */
  readonly files: RegExp;
}

const runs = (world: World): Run[] => {
  const images = world.at('images', 'pairs.csv');
  const clip = ['--model', world.at('clip')];
  const train = [
    ...[
      'train',
      'clip',
      '--output-dir',
      '@/run',
      ...clip,
      '--train-file',
      images,
      '--max-steps',
      '3',
      '--per-device-train-batch-size',
      '2',
    ],
    ...['--save-steps', '1', '--logging-steps', '1', '--num-threads', '1', '--quiet'],
  ];
  const compare = [
    ...['compare', '--methods', 'grad-cam,random,uniform', '--metrics', 'entropy,pointing-game', '--samples', '2', '--styles', 'twemoji'],
    ...[...clip, '--modality', 'image', '--workers', '0', '--output', '@/out', '--quiet'],
  ];
  return [
    {
      ...{ name: 'audit of pairs', follows: true, outcome: ['out/results.jsonl'], files: /(cells\.jsonl|a-cat.*\.json|results\.jsonl)$/ },
      words: [
        'attribute',
        '--pairs',
        images,
        '--output',
        '@/out',
        ...clip,
        '--method',
        'grad-cam',
        '--formats',
        'json',
        '--workers',
        '0',
        '--quiet',
      ],
    },
    {
      name: 'training',
      words: train,
      follows: true,
      outcome: ['run/model.safetensors'],
      files: /(checkpoint-2.*|trainer_state\.json|metrics\.jsonl|training_args\.json)$/,
    },
    {
      name: 'report of training',
      words: train,
      reader: ['train', 'report', '@/run'],
      follows: false,
      outcome: [],
      files: /(metrics\.jsonl|trainer_state\.json|training_args\.json)$/,
    },
    { name: 'comparison', words: compare, follows: true, outcome: ['out/results.json'], files: /(cells.*|results\.json|\.jsonl)$/ },
    {
      ...{ name: 'report of a comparison', words: compare, follows: false, outcome: ['out/results.json'], files: /\.jsonl?$/ },
      reader: ['compare', '--report-only', '--output', '@/out', '--quiet'],
    },
    {
      ...{ name: 'answers', follows: true, outcome: ['answers.jsonl'], files: /answers.*$/ },
      words: [
        ...['generate', '--model', world.at('llava'), '--input', world.at('questions.jsonl'), '--images', world.at('images')],
        ...['--output', '@/answers.jsonl', '--max-new-tokens', '2', '--quiet'],
      ],
    },
  ];
};

const formOf = (file: string): Form =>
  file.endsWith('.jsonl') ? jsonLines : file.endsWith('.json') ? json : file.endsWith('.safetensors') ? safetensors : bytes;

/** A file per run and kind. */
export async function resumeSubjects(world: World): Promise<Subject[]> {
  const out: Subject[] = [];
  for (const { name, words, reader, outcome, follows, files } of runs(world)) {
    const folder = world.at('runs', words.slice(0, 2).join('-').replaceAll('/', '-'));
    const placed = (list: readonly string[], at: string): string[] => list.map(word => word.replace(/^@/, at));
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true });
      const ended = await narrows(placed(words, folder), { cwd: folder });
      if (ended.code !== 0) throw new Error(`${name}: ${ended.stderr}`);
    }
    const found = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .filter(file => files.test(file) && !/\.(html|svg|png|md|csv|tex)$/.test(file) && !file.startsWith('.hf'));
    for (const file of found)
      out.push({
        ...{ kind: 'resume', name: `${name}: ${file}`, folder, file, form: formOf(file), outcome },
        args: copy => placed(reader ?? words, copy),
        mustBeSaid: () => follows,
      });
  }
  return out;
}
