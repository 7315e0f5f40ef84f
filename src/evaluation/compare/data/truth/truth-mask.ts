/** @file The mask of a record over its picture. */
import { decodeRle } from '../../../../scenes/rle.ts';
import { NarrowsError } from '../../../../system/errors.ts';
import { checkInside } from '../boxes.ts';
import { addMask, emptyMask, fillBox } from '../masks.ts';
import type { Mask } from '../sample.ts';
import type { TruthRecord } from './form.ts';

/** @throws NarrowsError for boxes beyond the picture, another size than the file says, or a truth of no pixel */
export function truthMask(
  { boxes, mask: rle, size, where }: TruthRecord,
  picture: { readonly width: number; readonly height: number },
): Mask {
  const { width, height } = picture;
  if (size && (size.width !== width || size.height !== height))
    throw new NarrowsError(`${where}: the picture is ${width} x ${height} pixels, but the file says ${size.width} x ${size.height}.`);
  const mask = emptyMask(width, height);
  for (const box of boxes) {
    checkInside(box, picture, where);
    fillBox(mask, box);
  }
  if (rle) addMask(mask, decodeRle(rle));
  if (!mask.data.includes(1)) throw new NarrowsError(`${where}: the ground truth marks no pixel.`);
  return mask;
}
