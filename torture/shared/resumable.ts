/** @file Every command that goes on from what it finds, in a size that ends in seconds. Kills and full disks are tried on each. */
import type { World } from './world.ts';

/** A resumable command. */
export interface Resumable {
  readonly name: string;
  /** Its words; the output is `out` (or below it), in the folder where it is called. */
  readonly words: readonly string[];
}

const CLIP = (world: World): string[] => ['--model', world.at('clip')];

const train = (world: World): string[] => [
  ...[
    'train',
    'tune',
    '--model',
    world.at('tune', 'model'),
    '--data-path',
    world.at('tune', 'data.json'),
    '--image-folder',
    world.at('tune'),
  ],
  ...[
    '--template',
    'vicuna_v1',
    '--output-dir',
    'out',
    '--max-steps',
    '6',
    '--save-steps',
    '2',
    '--logging-steps',
    '1',
    '--num-threads',
    '1',
  ],
  ...['--per-device-train-batch-size', '2', '--gradient-accumulation-steps', '2', '--quiet'],
];

/** All of them but `experiment`, whose parts are `train tune` and `evaluate`, and `judge` and `emi`, which wait for a server or end at once. */
export const resumable = (world: World): Resumable[] => [
  {
    name: 'train clip',
    words: [
      ...['train', 'clip', '--output-dir', 'out', ...CLIP(world), '--train-file', world.at('images', 'pairs.csv'), '--max-steps', '12'],
      ...['--per-device-train-batch-size', '2', '--save-steps', '2', '--logging-steps', '1', '--num-threads', '1', '--quiet'],
    ],
  },
  { name: 'train tune', words: train(world) },
  { name: 'train tune, LoRA', words: [...train(world), '--method', 'lora', '--lora-r', '2', '--lora-alpha', '4'] },
  { name: 'train tune, Vittle', words: [...train(world), '--method', 'vittle', '--bottleneck-layer', '1'] },
  {
    name: 'train projector',
    words: train(world).map(word =>
      word === 'tune' ? 'projector' : word === 'vicuna_v1' ? 'plain' : word.replace(/data\.json$/, 'captions.json'),
    ),
  },
  {
    name: 'attribute --pairs',
    words: [
      ...['attribute', '--pairs', world.at('pairs24.csv'), '--output', 'out', ...CLIP(world), '--method', 'grad-cam', '--formats', 'json'],
      ...['--workers', '0', '--quiet'],
    ],
  },
  {
    name: 'compare',
    words: [
      ...['compare', '--methods', 'grad-cam,random,uniform', '--metrics', 'entropy,pointing-game', '--samples', '6', '--styles', 'twemoji'],
      ...[...CLIP(world), '--modality', 'image', '--workers', '0', '--output', 'out', '--quiet'],
    ],
  },
  {
    name: 'audit',
    words: [
      ...['audit', '--pairs', world.at('chests', 'reports.csv'), '--boxes', world.at('chests', 'ms-cxr.json'), '--output', 'out'],
      ...['--method', 'grad-cam', '--samples', '6', '--quiet'],
    ],
  },
  {
    name: 'generate',
    words: [
      ...['generate', '--model', world.at('llava'), '--input', world.at('questions24.jsonl'), '--images', world.at('images')],
      ...['--output', 'out/answers.jsonl', '--max-new-tokens', '4', '--batch-size', '2', '--quiet'],
    ],
  },
  {
    name: 'evaluate',
    words: ['evaluate', '--benchmark', 'scenes-choice', '--limit', '8', '--shifts', 'gaussian_noise:3', '--output', 'out', '--quiet'],
  },
  {
    name: 'roar',
    words: [
      ...[
        'roar',
        '--methods',
        'random',
        ...CLIP(world),
        '--samples',
        '64',
        '--validation-samples',
        '50',
        '--max-steps',
        '2',
        '--batch-size',
        '8',
      ],
      ...['--seeds', '1', '--output', 'out', '--quiet'],
    ],
  },
  { name: 'scenes', words: ['scenes', '--count', '60', '--output', 'out', '--styles', 'twemoji', '--max-objects', '2', '--quiet'] },
  {
    name: 'shifts',
    words: ['shifts', 'gaussian_noise', world.at('many'), '--severity', '3', '--output', 'out', '--quiet'],
  },
];
