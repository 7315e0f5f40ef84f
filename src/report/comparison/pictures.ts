/** @file Gallery pictures made small: a report has hundreds of them, and a page of many megabytes is slow to open. */
import sharp from 'sharp';
import type { ComparisonResults } from '../../evaluation/compare/results.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Data URLs shorter than this stay as they are. */
const SMALL = 4096;
/** Of WebP: maps and photographs at this quality show no difference at their size. */
const QUALITY = 88;

/**
 * The same results with PNG pictures of the gallery as WebP where that is smaller (about an eighth).
 * @throws NarrowsError for a picture that cannot be decoded
 */
export async function smallerPictures(results: ComparisonResults): Promise<ComparisonResults> {
  const parts = [];
  for (const part of results.parts) {
    const gallery = [];
    for (const one of part.gallery) {
      const maps = [];
      for (const map of one.maps) maps.push(map.image === undefined ? map : { ...map, image: await smaller(map.image) });
      gallery.push({ ...one, image: await smaller(one.image), maps });
    }
    parts.push({ ...part, gallery });
  }
  return { ...results, parts };
}

async function smaller(uri: string): Promise<string> {
  const [head, data] = uri.split(',', 2);
  if (head !== 'data:image/png;base64' || uri.length < SMALL) return uri;
  const bytes = await sharp(Buffer.from(data, 'base64'))
    .webp({ quality: QUALITY, smartSubsample: true, effort: 4 })
    .toBuffer()
    .catch(error => {
      throw new NarrowsError('A picture of the gallery cannot be decoded.', { cause: error });
    });
  const webp = `data:image/webp;base64,${bytes.toString('base64')}`;
  return webp.length < uri.length ? webp : uri;
}
