/** @file `narrows attribute` on a model that answers: by a method that explains questions. */
import type { Pair } from '../../attribution/pair.ts';
import type { Attribution } from '../../attribution/result.ts';
import { explainSubject } from '../../attribution/subject.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context } from '../command.ts';
import { hubOptions } from '../hub-progress.ts';
import type { AttributeSettings } from './settings.ts';

/** @returns the map, and the picture as the model's processor got it. @throws NarrowsError for a flag that a question has no use for */
export async function askModel(
  context: Context,
  settings: AttributeSettings,
  pair: Pair,
): Promise<{ result: Attribution; picture: RgbImage }> {
  const { run, targetImage, entry, values } = settings;
  const given = Object.entries({
    '--against': run.target?.against,
    '--labels': run.target?.labels,
    '--templates': run.target?.templates,
    '--target-image': targetImage,
    '--image-size': run.imageSize,
  }).find(([, value]) => value !== undefined);
  if (given)
    throw new NarrowsError(`${given[0]} is for models that compare images with texts; ${entry.name} asks a LLaVA a question.`, {
      kind: 'usage',
    });
  await using chat = await ChatModel.open(settings.model, hubOptions(context));
  for (const warning of chat.warnings) context.log.warn(warning);
  const call = { modality: run.modality, signal: context.signal, onWarning: (message: string) => context.log.warn(message) };
  const result = await explainSubject(entry, { kind: 'question', model: chat, pair }, values, call);
  return { result, picture: chat.picture(pair.image) };
}
