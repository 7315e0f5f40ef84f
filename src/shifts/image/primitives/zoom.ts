/** @file Enlarging the middle of a picture, as `scipy.ndimage.zoom` of order 1 does. */
import type { FloatImage } from './float-image.ts';

/** Rounds halves to the even number, as Python does. */
const roundEven = (x: number): number => {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
};

/** For each output, the lower source index and the weight of the next one; corners fall on corners. */
function positions(length: number, factor: number): { from: Int32Array; weight: Float64Array } {
  const count = Math.max(1, roundEven(length * factor));
  const step = count > 1 ? (length - 1) / (count - 1) : 0;
  const from = new Int32Array(count);
  const weight = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    from[i] = Math.min(Math.max(0, length - 2), Math.floor(i * step));
    weight[i] = length === 1 ? 0 : i * step - from[i];
  }
  return { from, weight };
}

/** The middle 1/factor of the picture, enlarged by `factor` (>= 1) bilinearly: as large as the picture, or a pixel or so larger. */
export function clippedZoom(image: FloatImage, factor: number): FloatImage {
  const { width, height, channels, data } = image;
  const cropHeight = Math.ceil(height / factor);
  const cropWidth = Math.ceil(width / factor);
  const top = Math.floor((height - cropHeight) / 2);
  const left = Math.floor((width - cropWidth) / 2);
  const down = positions(cropHeight, factor);
  const across = positions(cropWidth, factor);
  const size = { width: across.from.length, height: down.from.length };
  const out = new Float64Array(size.width * size.height * channels);
  for (let y = 0, to = 0; y < size.height; y++) {
    const above = (top + down.from[y]) * width;
    const below = cropHeight > 1 ? above + width : above;
    const v = down.weight[y];
    for (let x = 0; x < size.width; x++) {
      const near = (left + across.from[x]) * channels;
      const far = cropWidth > 1 ? near + channels : near;
      const u = across.weight[x];
      for (let c = 0; c < channels; c++, to++) {
        const a = data[above * channels + near + c] * (1 - u) + data[above * channels + far + c] * u;
        const b = data[below * channels + near + c] * (1 - u) + data[below * channels + far + c] * u;
        out[to] = a * (1 - v) + b * v;
      }
    }
  }
  return { ...size, channels, data: out };
}

/** The upper left `width` x `height` of a picture that is at least as large. */
export function crop(image: FloatImage, width: number, height: number): FloatImage {
  if (image.width === width && image.height === height) return image;
  const line = width * image.channels;
  const data = new Float64Array(height * line);
  for (let y = 0; y < height; y++) {
    const from = y * image.width * image.channels;
    data.set(image.data.subarray(from, from + line), y * line);
  }
  return { width, height, channels: image.channels, data };
}
