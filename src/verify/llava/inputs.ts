/** @file The batch that a LLaVA's reference was computed from: in the file, in the one given as `--inputs`, or in outputs.safetensors next to it. */

import { pictureFeeds } from '../../models/llava/files.ts';
import type { LlavaInputs } from '../../models/llava/model.ts';
import { placementFeeds } from '../../models/llava/model.ts';
import { imagesIn } from '../../models/llava/placement.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { fileWithInput, type NoInputs } from '../attribution-inputs.ts';
import type { VerifyContext } from '../checker.ts';
import { familyPixels, PICTURE_INPUTS } from './family-pixels.ts';
import type { LlavaSubject } from './subject.ts';

/** Names of the inputs. */
export const LLAVA_INPUTS: readonly string[] = ['pixel_values', 'input_ids', 'attention_mask', 'labels', ...PICTURE_INPUTS];

/** What checkers of a LLaVA work on. */
export type LlavaContext = VerifyContext<LlavaSubject>;

/** The batch, or why it cannot be had. @throws NarrowsError for ids that are no [batch, length] */
export async function llavaBatch(context: LlavaContext): Promise<LlavaInputs | NoInputs> {
  const { reference } = context;
  const file = await fileWithInput(context, 'input_ids');
  if ('reason' in file) return file;
  const inputIds = await file.integers('input_ids');
  const optional = async (name: string): Promise<Tensor | undefined> => {
    if (!file.has(name)) return undefined;
    const found = await file.integers(name);
    if (found.shape.join() !== inputIds.shape.join())
      throw new NarrowsError(
        `${name} for ${reference.path} is [${found.shape.join(', ')}], but input_ids is [${inputIds.shape.join(', ')}].`,
      );
    return found;
  };
  if (inputIds.shape.length !== 2)
    throw new NarrowsError(`input_ids for ${reference.path} must be [batch, length], not [${inputIds.shape.join(', ')}].`);
  return {
    inputIds,
    attentionMask: await optional('attention_mask'),
    labels: await optional('labels'),
    pixelValues: file.has('pixel_values')
      ? await familyPixels(context.model.llava.config, await file.floats('pixel_values'), file)
      : undefined,
  };
}

/** Graph feeds of a batch. @throws NarrowsError for images that do not fit the text */
export function batchFeeds({ llava }: LlavaSubject, batch: LlavaInputs): Record<string, Tensor> {
  const { config } = llava;
  const placement = llava.place(batch.inputIds, imagesIn(config, batch.pixelValues), batch.attentionMask, batch.pixelValues?.layouts);
  return {
    ...placementFeeds(placement),
    ...(batch.pixelValues ? pictureFeeds(config, batch.pixelValues) : {}),
    ...(batch.labels ? { labels: batch.labels } : {}),
  };
}

/** The same numbers in the reference's shape, where only the arrangement of axes differs (images in one row or one each). */
export const arranged = (value: FloatTensor, shape: readonly number[]): FloatTensor =>
  value.data.length === shape.reduce((a, b) => a * b, 1) ? { ...value, shape } : value;
