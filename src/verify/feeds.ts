/** @file The inputs that a reference file gives for the whole model, checked against the model. */

import type { Feeds } from '../runtime/runtime.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import type { VerifyContext } from './checker.ts';

/** Names of the inputs. */
export const INPUTS = ['pixel_values', 'input_ids', 'attention_mask'];

/** Feeds of each tower; a tower whose inputs the file lacks is undefined. */
export interface PairFeeds {
  readonly image?: Feeds;
  readonly text?: Feeds;
}

/** Reads the inputs. @throws NarrowsError where they do not fit the model */
export async function pairFeeds({ model, reference }: VerifyContext): Promise<PairFeeds> {
  const { num_channels: channels, image_size: size } = model.config.vision_config;
  let image: Feeds | undefined;
  if (reference.has('pixel_values')) {
    const shape = reference.shape('pixel_values');
    if (shape.length !== 4 || shape[1] !== channels || shape[2] !== size || shape[3] !== size)
      throw new NarrowsError(
        `pixel_values of ${reference.path} is [${shape.join(', ')}], but ${model.name} takes [batch, ${channels}, ${size}, ${size}]; the file belongs to another model (another image size goes under a prefix, as in interpolated.pixel_values).`,
      );
    image = model.imageInputs(await reference.floats('pixel_values'));
  }
  if (!reference.has('input_ids')) return { image };
  return { image, text: await textFeeds({ model, reference }, 'input_ids', 'attention_mask') };
}

/** The text tower's feeds, from ids and a mask (where the file has it). @throws NarrowsError where they do not fit the model */
export async function textFeeds({ model, reference }: VerifyContext, idsName: string, maskName: string): Promise<Feeds> {
  const ids = await reference.integers(idsName);
  const mask = reference.has(maskName) ? await reference.integers(maskName) : undefined;
  if (ids.shape.length !== 2 || (mask && mask.shape.join() !== ids.shape.join()))
    throw new NarrowsError(
      `${idsName} of ${reference.path} must be [batch, length] and ${maskName} the same, not [${ids.shape.join(', ')}] and [${(mask ?? ids).shape.join(', ')}].`,
    );
  try {
    return model.textInputs(ids, mask);
  } catch (error) {
    throw new NarrowsError(`${idsName} of ${reference.path} belongs to another model: ${messageOf(error)}`, { cause: error });
  }
}

/** The first row of each input. */
export const firstRows = (feeds: Feeds): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [
      name,
      { ...t, shape: [1, ...t.shape.slice(1)], data: t.data.subarray(0, t.data.length / t.shape[0]) },
    ]),
  );

/** Why a value cannot be computed: which input is not there. */
export const lacking = (feeds: PairFeeds, needs: { image?: boolean; text?: boolean }): string | undefined =>
  needs.image && !feeds.image ? 'the file has no pixel_values' : needs.text && !feeds.text ? 'the file has no input_ids' : undefined;
