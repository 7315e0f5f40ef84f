/** @file Changing saturation and value of a colour while its hue stays, without going through hue. */
import type { RgbImage } from '../../../inputs/image/rgb-image.ts';
import { toBytes, toFloat } from './float-image.ts';

/**
 * Every pixel with new saturation and value, both clipped to [0, 1]. A channel is v · (1 - s · f), where f = (max - channel) / (max - min) is
 * what hue amounts to. A grey has no hue; it counts as red (f = 0, 1, 1), as in skimage and matplotlib: raised saturation tints greys red.
 */
export function mapSaturationValue(image: RgbImage, change: (s: number, v: number) => readonly [number, number]): RgbImage {
  const picture = toFloat(image);
  const { data } = picture;
  for (let i = 0; i < data.length; i += 3) {
    const value = Math.max(data[i], data[i + 1], data[i + 2]);
    const spread = value - Math.min(data[i], data[i + 1], data[i + 2]);
    const [s, v] = change(spread === 0 ? 0 : spread / value, value).map(x => Math.min(1, Math.max(0, x)));
    for (let c = 0; c < 3; c++) {
      const f = spread === 0 ? Math.min(c, 1) : (value - data[i + c]) / spread;
      data[i + c] = v * (1 - s * f);
    }
  }
  return toBytes(picture);
}
