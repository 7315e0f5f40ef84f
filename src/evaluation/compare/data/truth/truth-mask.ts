/** @file The mask of a record over its picture. */
import { decodeRle } from '../../../../scenes/rle.ts';
import { NarrowsError } from '../../../../system/errors.ts';
import { checkInside, type PixelSize } from '../boxes.ts';
import { addMask, emptyMask, fillBox } from '../masks.ts';
import type { Mask } from '../sample.ts';
import type { TruthRecord } from './form.ts';

/** @throws NarrowsError for boxes beyond the picture, or another size than the file says */
export function checkFits({ boxes, size, where }: TruthRecord, picture: PixelSize): void {
  const { width, height } = picture;
  if (size && (size.width !== width || size.height !== height))
    throw new NarrowsError(`${where}: the picture is ${width} x ${height} pixels, but the file says ${size.width} x ${size.height}.`);
  for (const box of boxes) checkInside(box, picture, where);
}

/** @throws NarrowsError as `checkFits`, and for a truth of no pixel */
export function truthMask(record: TruthRecord, picture: PixelSize): Mask {
  checkFits(record, picture);
  const { boxes, mask: rle, where } = record;
  const mask = emptyMask(picture.width, picture.height);
  for (const box of boxes) fillBox(mask, box);
  if (rle) addMask(mask, decodeRle(rle));
  if (!mask.data.includes(1)) throw new NarrowsError(`${where}: the ground truth marks no pixel.`);
  return mask;
}
