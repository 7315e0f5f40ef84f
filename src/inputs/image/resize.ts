/** @file Resizing with Pillow's bytes: antialiased separable filters in 22-bit fixed point, bytes between the two passes. */
import { type Filter, makeTaps, PRECISION, type Taps } from './filters.ts';
import type { Rectangle, RgbImage } from './rgb-image.ts';

const HALF = 1 << (PRECISION - 1);

/** A part of a picture in memory: pixel (x, y) starts at `origin + y * stride + 3 * x`, in the coordinates of the whole picture. */
interface Plane {
  readonly data: Uint8Array;
  readonly stride: number;
  readonly origin: number;
}

/** Filters rows `top .. top + rows - 1` along x. */
function horizontal({ data, stride, origin }: Plane, taps: Taps, top: number, rows: number): Plane {
  const { firsts, counts, weights } = taps;
  const width = firsts.length;
  const out = new Uint8ClampedArray(rows * width * 3);
  for (let y = 0, to = 0; y < rows; y++) {
    const row = origin + (top + y) * stride;
    for (let x = 0; x < width; x++, to += 3) {
      let r = HALF;
      let g = HALF;
      let b = HALF;
      const end = x * taps.stride + counts[x];
      for (let k = x * taps.stride, at = row + firsts[x] * 3; k < end; k++, at += 3) {
        const w = weights[k];
        r = (r + Math.imul(data[at], w)) | 0;
        g = (g + Math.imul(data[at + 1], w)) | 0;
        b = (b + Math.imul(data[at + 2], w)) | 0;
      }
      out[to] = r >> PRECISION;
      out[to + 1] = g >> PRECISION;
      out[to + 2] = b >> PRECISION;
    }
  }
  return { data: new Uint8Array(out.buffer), stride: width * 3, origin: -top * width * 3 };
}

/** Filters columns `left .. left + columns - 1` along y. */
function vertical({ data, stride, origin }: Plane, taps: Taps, left: number, columns: number): Plane {
  const { firsts, counts, weights } = taps;
  const length = columns * 3;
  const out = new Uint8ClampedArray(firsts.length * length);
  const sums = new Int32Array(length);
  for (let y = 0; y < firsts.length; y++) {
    sums.fill(HALF);
    for (let k = 0; k < counts[y]; k++) {
      const w = weights[y * taps.stride + k];
      const row = origin + (firsts[y] + k) * stride + left * 3;
      for (let i = 0; i < length; i++) sums[i] += Math.imul(data[row + i], w);
    }
    for (let i = 0, to = y * length; i < length; i++, to++) out[to] = sums[i] >> PRECISION;
  }
  return { data: new Uint8Array(out.buffer), stride: length, origin: -left * 3 };
}

/** Source positions of nearest: Pillow steps by repeated addition, whose rounding is part of the result. */
function nearestPositions(from: number, to: number, start: number, count: number): Int32Array {
  const step = from / to;
  const positions = new Int32Array(count);
  let at = step * 0.5;
  for (let i = 0; i < start + count; i++, at += step) if (i >= start) positions[i - start] = at < from ? Math.trunc(at) : -1;
  return positions;
}

/** Picks single pixels; a position that rounding pushed outside stays black, as in Pillow. */
function pick(image: RgbImage, columns: Int32Array, rows: Int32Array): Uint8Array {
  const { data } = image;
  const out = new Uint8Array(rows.length * columns.length * 3);
  let to = 0;
  for (const y of rows) {
    for (const x of columns) {
      if (x >= 0 && y >= 0) {
        const at = (y * image.width + x) * 3;
        out[to] = data[at];
        out[to + 1] = data[at + 1];
        out[to + 2] = data[at + 2];
      }
      to += 3;
    }
  }
  return out;
}

/** The inputs an axis needs: those its taps read, or the window itself where the axis keeps its size. */
function span(taps: Taps | undefined, start: number, count: number): { start: number; count: number } {
  if (!taps) return { start, count };
  const last = count - 1;
  return { start: taps.firsts[0], count: taps.firsts[last] + taps.counts[last] - taps.firsts[0] };
}

/**
 * Resizes to `width` x `height` with exactly the bytes of `Image.resize` of Pillow 13. An axis that keeps its size is not filtered.
 * @param window the part of the resized picture to compute (whole numbers, inside it); the rest is never made. Default: all of it.
 * @throws RangeError for a size that is not a positive whole number.
 */
export function resizeImage(image: RgbImage, width: number, height: number, filter: Filter, window?: Rectangle): RgbImage {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new RangeError(`An image cannot be resized to ${width} x ${height}; both must be positive whole numbers.`);
  }
  const part = window ?? { left: 0, top: 0, width, height };
  const size = { width: part.width, height: part.height };
  const same = width === image.width && height === image.height;
  if (filter === 'nearest' || same) {
    const columns = nearestPositions(image.width, width, part.left, part.width);
    const rows = nearestPositions(image.height, height, part.top, part.height);
    return { ...size, data: pick(image, columns, rows) };
  }
  const across = width === image.width ? undefined : makeTaps(image.width, width, filter, part.left, part.width);
  const down = height === image.height ? undefined : makeTaps(image.height, height, filter, part.top, part.height);
  const columns = span(across, part.left, part.width);
  const rows = span(down, part.top, part.height);
  const whole: Plane = { data: image.data, stride: image.width * 3, origin: 0 };
  // Bytes are rounded between the passes, so their order shows. Pillow 13 goes down first when the height loses more than twice
  // as many pixels as the width; older versions always went across first (docs/images.md).
  const lost = image.height - height;
  if (across && (!down || !(lost > 0 && lost > 2 * (image.width - width)))) {
    const middle = horizontal(whole, across, rows.start, rows.count);
    return { ...size, data: down ? vertical(middle, down, 0, part.width).data : middle.data };
  }
  const middle = vertical(whole, down!, columns.start, columns.count);
  return { ...size, data: across ? horizontal(middle, across, 0, part.height).data : middle.data };
}
