/** @file `narrows attribute` on a model that answers: by a method that explains answers, or the posterior of a bottleneck. */
import { noAnswers } from '../../attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../attribution/method.ts';
import type { Pair } from '../../attribution/pair.ts';
import { AUTO_ANSWER_METHOD, findMethod } from '../../attribution/registry.ts';
import type { Attribution } from '../../attribution/result.ts';
import { explainSubject, type RegisteredMethod } from '../../attribution/subject.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context } from '../command.ts';
import { hubOptions } from '../hub-progress.ts';
import type { AttributeSettings } from './settings.ts';

/** Flags of an answer, as typed. */
export interface AnswerFlags {
  readonly answer?: string;
  readonly parts?: 'word' | 'token' | 'none';
  readonly reduction?: 'sum' | 'mean';
}

/** The method, where a model answers. @throws NarrowsError for one that reads only what a bottleneck keeps */
export function answerEntry({ auto, entry }: AttributeSettings): MethodEntry {
  const chosen = auto ? findMethod(AUTO_ANSWER_METHOD)! : entry;
  if (chosen.serves === 'question')
    throw new NarrowsError(
      `${chosen.name} reads what a bottleneck keeps of one question; a list of questions takes a method that explains answers.`,
      {
        kind: 'usage',
      },
    );
  return chosen;
}

/** The refusal of `--spans` by a model that answers. */
export const noSpans = (model: string): string => `--spans is for models that compare images with texts; ${model} answers questions.`;

/** How a call of `narrows attribute` asks. */
export interface Asked extends AnswerFlags {
  readonly onProgress?: (done: number, total: number) => void;
}

/** @returns the map, and the picture as the model's processor got it. @throws NarrowsError for a flag that a question has no use for */
export async function askModel(
  context: Context,
  settings: AttributeSettings,
  pair: Pair,
  asked: Asked = {},
): Promise<{ result: Attribution; picture: RgbImage }> {
  const { run, targetImage, values } = settings;
  const entry = settings.auto ? (findMethod(AUTO_ANSWER_METHOD) as RegisteredMethod) : settings.entry;
  const posterior = entry.serves === 'question';
  const given = Object.entries({
    '--labels': run.target?.labels,
    '--templates': run.target?.templates,
    '--target-image': targetImage,
    '--image-size': run.imageSize,
  }).find(([, value]) => value !== undefined);
  if (given)
    throw new NarrowsError(`${given[0]} is for models that compare images with texts; ${entry.name} asks a LLaVA a question.`, {
      kind: 'usage',
    });
  const ofAnswer = Object.entries({ answer: asked.answer, against: run.target?.against, parts: asked.parts, reduction: asked.reduction });
  const idle = posterior ? ofAnswer.find(([, value]) => value !== undefined) : undefined;
  if (idle)
    throw new NarrowsError(
      `--${idle[0]} is for methods that explain an answer; ${entry.name} reads what a bottleneck keeps, whatever is answered.`,
      {
        kind: 'usage',
      },
    );
  if (entry.serves === 'pair' && !entry.answers) throw new NarrowsError(noAnswers(entry.name), { kind: 'usage' });
  await using chat = await ChatModel.open(settings.model, hubOptions(context));
  for (const warning of chat.warnings) context.log.warn(warning);
  const call = { modality: run.modality, signal: context.signal, onWarning: (message: string) => context.log.warn(message) };
  const { seed, seeds, maxMemory } = run;
  const { answer, parts, reduction, onProgress } = asked;
  const more = posterior ? {} : { seed, seeds, maxMemory, answer, against: run.target?.against, parts, reduction, onProgress };
  const result = await explainSubject(entry, { kind: 'question', model: chat, pair }, values, { ...call, ...more });
  return { result, picture: chat.picture(pair.image) };
}
