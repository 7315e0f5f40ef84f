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
  /** One direction of a plane: `lines` lines of `length` values, `step` apart within a line, `stride` between lines. */
  interface Pass {
    readonly plane: number;
    readonly length: number;
    readonly lines: number;
    readonly step: number;
    readonly stride: number;
  }
  const pass = (from: Float32Array, to: Float32Array, { plane, length, lines, step, stride }: Pass): void => {
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
    pass(pixels.data, across, { plane, length: width, lines: height, step: 1, stride: width });
    pass(across, out, { plane, length: height, lines: width, step: width, stride: 1 });
  }
  return floats(pixels.shape, out);
}
