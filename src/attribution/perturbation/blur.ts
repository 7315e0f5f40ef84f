/** @file A Gaussian blur of normalised pixels: what stands in place of removed patches under the removal `blur`. */
import { type FloatTensor, floats } from '../../tensor/tensor.ts';

/**
 * Separable Gaussian blur, the border repeated outwards; the kernel ends at three deviations.
 * @param pixels [B, C, H, W]
 * @param sigma standard deviation in pixels
 */
export function gaussianBlur(pixels: FloatTensor, sigma: number): FloatTensor {
  const [batch, channels, height, width] = pixels.shape;
  const radius = Math.ceil(3 * sigma);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const total = kernel.reduce((a, b) => a + b, 0);
  const across = new Float32Array(pixels.data.length);
  const out = new Float32Array(pixels.data.length);
  const pass = (from: Float32Array, to: Float32Array, plane: number, length: number, lines: number, step: number, stride: number): void => {
    for (let line = 0; line < lines; line++)
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let k = -radius; k <= radius; k++)
          sum += kernel[k + radius] * from[plane + line * stride + Math.min(length - 1, Math.max(0, i + k)) * step];
        to[plane + line * stride + i * step] = sum / total;
      }
  };
  for (let b = 0; b < batch * channels; b++) {
    const plane = b * height * width;
    pass(pixels.data, across, plane, width, height, 1, width);
    pass(across, out, plane, height, width, width, 1);
  }
  return floats(pixels.shape, out);
}
