/** @file Pictures that a person gives, or that the backend has: their facts, and an address that the page can show. */

import type { PictureInfo } from '../../facts.ts';
import { StudioError } from '../../protocol.ts';
import { info, need } from './studio.ts';

/** A picture on the page. */
export interface ShownPicture extends PictureInfo {
  /** What an `<img>` shows: the picture as the model reads it. */
  readonly url: string;
  /** The example that it belongs to. */
  readonly example?: string;
}

/** Longest side of a picture as the page shows it, in pixels. */
const SHOWN_PIXELS = 1200;

/** What a file is called in sentences. */
export const nameOf = (file: File): string => file.name || 'the pasted picture';

/** Gives a file to the backend. @throws StudioError with one sentence for what is no picture, or too large */
export async function readPicture(file: File): Promise<ShownPicture> {
  const limit = info.peek()?.limits.bytes;
  if (limit !== undefined && file.size > limit)
    throw new StudioError(
      'input',
      `${nameOf(file)} has ${Math.round(file.size / 1e6)} MB; ${Math.round(limit / 1e6)} MB are the most. Save it smaller and try again.`,
    );
  return shown(await need().addPicture(file, nameOf(file)));
}

/** A picture that the backend has. @throws StudioError `missing` where it has not (any more) */
export const knownPicture = async (id: string): Promise<ShownPicture> => shown(await need().picture(id));

async function shown(told: PictureInfo): Promise<ShownPicture> {
  const file = await need().pictureFile(told.id, SHOWN_PIXELS);
  const example = info.peek()?.examples.find(each => each.picture.id === told.id)?.id;
  return { ...told, url: URL.createObjectURL(file), example };
}
