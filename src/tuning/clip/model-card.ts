/** @file README.md of a trained model: a model card to be filled in, with what the run knows. */
import { formatNumber } from '../../system/format.ts';
import { cardText } from '../model-card.ts';
import type { ClipTrainingArguments } from './arguments.ts';

/** Text of the card. */
export function modelCard(args: ClipTrainingArguments, parameters: number, metrics: Readonly<Record<string, number>>): string {
  const data = args.train_file
    ? `the image–caption pairs of \`${args.train_file}\``
    : args.scene_kind === 'chest'
      ? `Narrows' phantom chest X-rays with up to ${args.max_objects} findings and their reports`
      : `Narrows' built-in scenes of 1 to ${args.max_objects} objects`;
  const origin = args.model ? `It started from \`${args.model}\`.` : 'It started from random weights.';
  const pairs = args.max_steps * args.gradient_accumulation_steps * args.per_device_train_batch_size;
  return cardText({
    library: 'transformers',
    pipeline: 'zero-shot-image-classification',
    tags: ['clip', 'narrows'],
    title: 'A CLIP model',
    summary: [`A CLIP of ${formatNumber(parameters / 1e6)} million parameters, trained by \`narrows train clip\` on ${data}. ${origin}`],
    use: 'What it is for, and what it is not for: to be written.',
    training: [
      `${args.max_steps} updates, ${pairs} pairs in total. Every argument is in \`training_args.json\`, the course of the run in \`metrics.jsonl\`.`,
    ],
    metrics,
    resultsNote: `Means over ${args.eval_samples} samples at most; say how large the intervals are.`,
  });
}
