/** @file YBR_FULL to RGB (PS3.3 C.7.6.3.1.2), as pydicom's `convert_color_space`. No Node imports. */

/** Interleaved Y, Cb, Cr of 8 bits to R, G, B: products in float32, cut off to 0–255, fractions dropped after 0.5 is added. */
export function ybrToRgb(values: Int32Array): Int32Array {
  const out = new Int32Array(values.length);
  const byte = (v: number): number => Math.min(255, Math.max(0, Math.floor(v + 0.5)));
  for (let i = 0; i < values.length; i += 3) {
    const [y, cb, cr] = [values[i], values[i + 1] - 128, values[i + 2] - 128];
    out[i] = byte(y + 1.402 * cr);
    out[i + 1] = byte(y - (0.114 * 1.772 * cb) / 0.587 - (0.299 * 1.402 * cr) / 0.587);
    out[i + 2] = byte(y + 1.772 * cb);
  }
  return out;
}
