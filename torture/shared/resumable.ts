/** @file Every command that goes on from what it finds, in a size that ends in seconds. Kills and full disks are tried on each. */
import type { World } from './world.ts';

/** A resumable command. */
export interface Resumable {
  readonly name: string;
  /** Its words; the output is `out` (or below it), in the folder where it is called. */
  readonly words: readonly string[];
  /** More words, with which it has more to do on the same output: for disks that are full by then. */
  readonly more?: readonly string[];
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
  ...['--template', 'v1', '--output-dir', 'out', '--max-steps', '6', '--save-steps', '2', '--logging-steps', '1', '--num-threads', '1'],
  ...['--per-device-train-batch-size', '2', '--gradient-accumulation-steps', '2', '--quiet'],
];

/** All of them. `train projector` and `experiment` run the same trainer, `audit` the same store of cells as `compare`. */
export const resumable = (world: World): Resumable[] => [
  {
    name: 'train clip',
    words: [
      ...['train', 'clip', '--output-dir', 'out', ...CLIP(world), '--train-file', world.at('images', 'pairs.csv'), '--max-steps', '12'],
      ...['--per-device-train-batch-size', '2', '--save-steps', '2', '--logging-steps', '1', '--num-threads', '1', '--quiet'],
    ],
  },
  { name: 'train tune', words: train(world) },
  { name: 'train tune, LoRA', words: [...train(world), '--lora-enable', '--lora-r', '2', '--lora-alpha', '4'] },
  { name: 'train tune, Vittle', words: [...train(world), '--bottleneck-enable', '--bottleneck-layer', '1'] },
  {
    name: 'train projector',
    words: train(world)
      .map((word, i) => (i === 1 ? 'projector' : word))
      .filter(word => word !== 'v1' && word !== '--template'),
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
