/** @file Flags of commands that let a model answer. */
import { type Command, Option } from 'commander';
import type { ImageAspect } from '../../generation/chat-model.ts';
import { checkGeneration, type GenerationOptions } from '../../generation/generate.ts';
import type { ChatModel, ChatOptions } from '../../generation/pretrained.ts';
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import type { Context, Options } from '../command.ts';
import { collect, integer, number } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { addPictureFlags } from '../picture-flags.ts';

/** Declares which model answers, and how. */
export function addAnswerFlags(command: Command, fallback: { readonly maxNewTokens: number }): Command {
  return addPictureFlags(command)
    .option('--model <name>', 'LLaVA: shipped model, directory, or org/name[@revision]', DEFAULT_CHAT_MODEL)
    .option('--template <name>', "chat template: vicuna_v1, llava_v1, plain, llama_3, chatml, jinja (default: the checkpoint's own)")
    .option('--system <text>', "system text, in place of the template's")
    .addOption(
      new Option(
        '--image-aspect-ratio <how>',
        'pad: widen pictures to a square; square: as the processor says (default: the checkpoint decides)',
      ).choices(['pad', 'square']),
    )
    .option(
      '--alpha <a>',
      "of a model with a bottleneck: share of the bottleneck's output, 0 to 1 (default: the checkpoint's)",
      number(0, 1),
    )
    .option('--temperature <t>', "0 takes the likeliest token, above 0 tokens are drawn (default: the checkpoint's, else 0)", number(0))
    .option('--top-k <n>', 'draw among the n likeliest tokens', integer(1, 2 ** 31 - 1))
    .option('--top-p <p>', 'draw among the likeliest tokens that together reach this probability', number(0, 1))
    .option('--min-p <p>', 'draw among tokens with at least this share of the highest probability', number(0, 1))
    .option('--num-beams <n>', "beam search with n beams, without sampling (default: the checkpoint's, else 1)", integer(1, 256))
    .option('--length-penalty <x>', 'of beam search: above 0 favours long answers, below 0 short ones (default: 1)', number(-100, 100))
    .option('--no-repeat-ngram-size <n>', 'no sequence of n tokens twice, the prompt included; 0: no limit', integer(0, 2 ** 31 - 1))
    .option('--min-new-tokens <n>', 'fewest tokens of an answer', integer(0, 2 ** 31 - 1))
    .option('--repetition-penalty <r>', 'above 1 makes tokens that already occurred less likely', number(0))
    .option(
      '--max-new-tokens <n>',
      `most tokens of an answer (default: the checkpoint's, else ${fallback.maxNewTokens})`,
      integer(1, 2 ** 31 - 1),
    )
    .option('--stop <text>', 'text that ends an answer, may be repeated', collect);
}

/** How the flags open a model. */
export function chatOptions(context: Context, options: Options): ChatOptions {
  return {
    ...hubOptions(context),
    template: options.template as string | undefined,
    imageAspect: options.imageAspectRatio as ImageAspect | undefined,
    alpha: options.alpha as number | undefined,
  };
}

/** Says once what the model assumed, ignored or lacks. */
export function sayWarnings(context: Context, { warnings }: Pick<ChatModel, 'warnings'>): void {
  for (const warning of warnings) context.log.warn(warning);
}

/**
 * What the flags say about answers; undefined where the checkpoint decides.
 * @throws NarrowsError (usage) for a value out of its bounds
 */
export function answerOptions(context: Context, options: Options): GenerationOptions {
  const answers: GenerationOptions = {
    seed: context.seed,
    temperature: options.temperature as number | undefined,
    topK: options.topK as number | undefined,
    topP: options.topP as number | undefined,
    minP: options.minP as number | undefined,
    numBeams: options.numBeams as number | undefined,
    lengthPenalty: options.lengthPenalty as number | undefined,
    noRepeatNgramSize: options.noRepeatNgramSize as number | undefined,
    minNewTokens: options.minNewTokens as number | undefined,
    repetitionPenalty: options.repetitionPenalty as number | undefined,
    maxNewTokens: options.maxNewTokens as number | undefined,
    stop: options.stop as string[] | undefined,
  };
  checkGeneration({ ...answers, stop: undefined });
  return answers;
}
