/** @file README.md of a trained LLaVA: a model card to be filled in, with what the run knows. */
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import { formatNumber } from '../../system/format.ts';
import { cardText } from '../model-card.ts';
import type { LlavaArguments } from './arguments.ts';
import type { LlavaTask } from './file-task.ts';
import { PRESETS } from './presets.ts';

const WHAT = {
  projector: 'only its projector (stage 1)',
  full: 'projector and decoder (stage 2)',
  lora: 'projector and low-rank adapters of the decoder (stage 2)',
  vittle: 'projector, decoder and a Gaussian bottleneck inside it (Vittle, arXiv 2505.13946)',
} as const;

function bottleneckLines({ method: { bottleneck } }: LlavaTask): string[] {
  if (!bottleneck) return [];
  const { bottleneck_layers: layers, prior, alpha_end, alpha_schedule, beta_visual, beta_text, bottleneck_init, control } = bottleneck;
  const where = `acts on the output of decoder block ${layers.join(', ')} (counted from 0)`;
  const alpha = `an alpha of ${alpha_end} at the end (${alpha_schedule})`;
  if (control === 'noise') return ['', `It is a control: in the bottleneck's place only noise ${where} in training, with ${alpha}.`];
  const begins = bottleneck_init === 'pass' ? ' begins by passing the hidden state on and' : '';
  const charge = control ? ', without noise and KL: a control' : `, β ${beta_visual} for image tokens and ${beta_text} for the prompt`;
  return [
    '',
    `The bottleneck${begins} ${where}, with${control ? '' : ` a ${prior} prior,`} ${alpha}${charge}. Its weights are \`bottleneck.safetensors\`, its settings \`bottleneck_config\` in config.json; transformers opens the model without it.`,
  ];
}

const use = (model: string, adapter: boolean): string =>
  adapter
    ? `An adapter for \`${model}\`: \`PeftModel.from_pretrained(model, directory)\`; \`narrows train tune --merge-lora\` writes a whole model, which \`narrows chat\` opens.`
    : 'What it is for, and what it is not for: to be written.';

/** Text of the card. @param args with `max_steps` filled in */
export function modelCard(args: LlavaArguments, task: LlavaTask, metrics: Readonly<Record<string, number>>): string {
  const count = task.parameters.reduce((sum, p) => sum + p.data.length, 0);
  const seen = args.max_steps * args.gradient_accumulation_steps * args.per_device_train_batch_size;
  const preset = args.preset ? PRESETS[args.preset] : undefined;
  const model = args.model ?? DEFAULT_CHAT_MODEL;
  return cardText({
    library: task.method.lora ? 'peft' : 'transformers',
    pipeline: 'image-text-to-text',
    tags: ['llava', 'narrows'],
    title: 'A LLaVA model',
    summary: [
      `Trained by \`narrows train ${args.method === 'projector' ? 'projector' : 'tune'}\` from \`${model}\`: ${WHAT[args.method]}, ${formatNumber(count / 1e6)} million parameters.`,
      ...bottleneckLines(task),
    ],
    use: use(model, task.method.lora !== undefined),
    training: [
      `${args.max_steps} updates, ${seen} ${args.data_path ? `samples seen of the ${task.samples} of \`${args.data_path}\`` : "conversations about Narrows' built-in scenes"}. Every argument is in \`training_args.json\`, the course of the run in \`metrics.jsonl\`.`,
      ...(preset ? ['', `Recipe \`${args.preset}\`: ${preset.summary} (${preset.source}).`] : []),
    ],
    metrics,
  });
}
