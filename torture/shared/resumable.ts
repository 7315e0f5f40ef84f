/** @file Every command that goes on from what it finds, in a size that ends in seconds. Kills and full disks are tried on each. */
import { inRepository, type World } from './world.ts';

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

const COCO = (file: string): string => inRepository('src/evaluation/judge/testdata/coco', file);

const judge = (url: string): Resumable => ({
  name: 'judge',
  words: [
    ...[
      'judge',
      '--questions',
      COCO('questions.jsonl'),
      '--answers',
      COCO('answers_made-up-7b.jsonl'),
      '--references',
      COCO('reference.jsonl'),
    ],
    ...['--context', COCO('context.jsonl'), '--endpoint', url, '--judge-model', 'judge-1', '--output', 'out', '--quiet'],
  ],
});

/** All of them; `judge` where the world has a server that judges. */
export const resumable = (world: World): Resumable[] => [
  ...(world.judge === undefined ? [] : [judge(world.judge)]),
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
  {
    name: 'experiment',
    words: [
      ...['experiment', 'vittle-scenes', '--start', 'scene-llava', '--output', 'out', '--conditions', 'plain,vittle-f', '--no-choose'],
      ...['--tune-steps', '2', '--seeds', '1', '--batch-size', '2', '--max-turns', '2', '--bottleneck-layer', '1', '--scenes', '2'],
      ...['--severities', '3', '--corruptions', 'contrast', '--text-shifts', 'word_swap', '--num-threads', '1', '--quiet'],
    ],
  },
  {
    name: 'emi',
    words: [
      ...['emi', '--model', world.at('llava'), '--source-questions', world.at('emi', 'questions.jsonl'), '--source-answers'],
      ...[world.at('emi', 'answers.jsonl'), '--source-references', world.at('emi', 'references.jsonl'), '--target-questions'],
      ...[world.at('emi', 'questions.jsonl'), '--target-answers', world.at('emi', 'shifted.jsonl'), '--source-images', world.at('images')],
      ...['--target-images', world.at('images'), '--steps', '20', '--folds', '1', '--units', '8', '--output', 'out', '--quiet'],
    ],
  },
  { name: 'scenes', words: ['scenes', '--count', '60', '--output', 'out', '--styles', 'twemoji', '--max-objects', '2', '--quiet'] },
  {
    name: 'shifts',
    words: ['shifts', 'gaussian_noise', world.at('many'), '--severity', '3', '--output', 'out', '--quiet'],
  },
];
