/** @file README.md of a trained model: a model card to be filled in, with what the run knows. */
import { formatNumber } from '../../system/format.ts';
import type { ClipTrainingArguments } from './arguments.ts';

/** Text of the card. */
export function modelCard(args: ClipTrainingArguments, parameters: number, metrics: Readonly<Record<string, number>>): string {
  const data = args.train_file
    ? `the image–caption pairs of \`${args.train_file}\``
    : `Narrows' built-in scenes of 1 to ${args.max_objects} objects`;
  const origin = args.model ? `It started from \`${args.model}\`.` : 'It started from random weights.';
  const pairs = args.max_steps * args.gradient_accumulation_steps * args.per_device_train_batch_size;
  const table = Object.entries(metrics).map(([key, value]) => `| ${key.slice(5).replaceAll('_', ' ')} | ${formatNumber(value)} |`);
  const results = table.length
    ? [
        '| measure | value |',
        '|---|---|',
        ...table,
        '',
        `Means over ${args.eval_samples} samples at most; say how large the intervals are.`,
      ]
    : ['Not evaluated.'];
  return [
    '---',
    'library_name: transformers',
    'pipeline_tag: zero-shot-image-classification',
    'tags: [clip, narrows]',
    '---',
    '',
    '# A CLIP model',
    '',
    `A CLIP of ${formatNumber(parameters / 1e6)} million parameters, trained by \`narrows train clip\` on ${data}. ${origin}`,
    '',
    '## Use',
    '',
    'What it is for, and what it is not for: to be written.',
    '',
    '## Training',
    '',
    `${args.max_steps} updates, ${pairs} pairs in all. Every argument stands in \`training_args.json\`, the course of the run in \`metrics.jsonl\`.`,
    '',
    '## Results',
    '',
    ...results,
    '',
    '## Licence',
    '',
    'To be written: that of the data and of what it started from.',
    '',
  ].join('\n');
}
