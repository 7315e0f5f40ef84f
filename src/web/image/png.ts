/**
 * @file PNG to samples without a browser's decoder, which mixes colours with transparency and profiles (PNG specification, third edition:
 * chunks, filters, Adam7). What is asked of the browser is only to unpack.
 */
import { exifOrientation } from '../../inputs/image/exif.ts';
import { NarrowsError } from '../../system/errors.ts';

/** A header, and where the picture's data lie. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 2 | 4 | 8 | 16;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA. */
  readonly colour: 0 | 2 | 3 | 4 | 6;
  readonly interlaced: boolean;
  readonly palette?: Uint8Array;
  readonly orientation?: number;
  readonly data: readonly Uint8Array[];
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const DEPTHS: Readonly<Record<number, readonly number[]>> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
const BANDS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Adam7: first column, first row, steps. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** True for a file that begins as a PNG. */
export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte);

/** @throws NarrowsError for a header or chunks that make no sense; the message is a clause */
export function pngHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  let palette: Uint8Array | undefined;
  let orientation: number | undefined;
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) throw new NarrowsError('its header is missing');
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour, , , interlace] = bytes.subarray(24, 29);
  if (!DEPTHS[colour]?.includes(depth) || interlace > 1) throw new NarrowsError(`colour type ${colour} with ${depth} bits is none`);
  if (width === 0 || height === 0) throw new NarrowsError(`it is ${width} x ${height} pixels`);
  for (let at = 33; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'PLTE') palette = body;
    else if (type === 'eXIf') orientation = exifOrientation(body);
    else if (type === 'IDAT') data.push(body);
    else if (type === 'IEND') break;
    at += 12 + length;
  }
  if (colour === 3 && !palette) throw new NarrowsError('its palette is missing');
  const header = { width, height, depth: depth as PngHeader['depth'], colour: colour as PngHeader['colour'], interlaced: interlace === 1 };
  return { ...header, palette, orientation, data };
}

/** Bytes that a row of so many pixels takes. */
const rowBytes = ({ depth, colour }: PngHeader, columns: number): number => Math.ceil((columns * depth * BANDS[colour]) / 8);

/** Unpacks until `length` bytes are there; what a file packs beyond is not looked at. @throws NarrowsError where it ends before */
async function unpack(parts: readonly Uint8Array[], length: number): Promise<Uint8Array> {
  const source = new Blob(parts as Uint8Array<ArrayBuffer>[]).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = source.getReader();
  const out = new Uint8Array(length);
  let at = 0;
  try {
    while (at < length) {
      const { done, value } = await reader.read();
      if (done) throw new NarrowsError('its data end too early');
      out.set(value.subarray(0, length - at), at);
      at += value.length;
    }
  } catch (error) {
    throw error instanceof NarrowsError ? error : new NarrowsError('its data cannot be unpacked', { cause: error });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return out;
}

/** Undoes the rows' filters in place. @param step bytes of a pixel, at least one */
function unfilter(rows: Uint8Array, start: number, [stride, count]: readonly [number, number], step: number): void {
  for (let y = 0; y < count; y++) {
    const row = start + y * (stride + 1);
    const filter = rows[row];
    if (filter > 4) throw new NarrowsError(`filter ${filter} of a row is none`);
    for (let i = 1; i <= stride; i++) {
      const at = row + i;
      const left = i > step ? rows[at - step] : 0;
      const up = y > 0 ? rows[at - stride - 1] : 0;
      const corner = y > 0 && i > step ? rows[at - stride - 1 - step] : 0;
      if (filter === 1) rows[at] += left;
      else if (filter === 2) rows[at] += up;
      else if (filter === 3) rows[at] += (left + up) >> 1;
      else if (filter === 4) {
        const p = left + up - corner;
        const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
        rows[at] += a <= b && a <= c ? left : b <= c ? up : corner;
      }
    }
  }
}

/** Samples of a picture, interleaved: bytes, of 16 bits as they are; alpha among them. */
export interface PngSamples {
  readonly bands: 1 | 2 | 3 | 4;
  readonly data: Uint8Array | Uint16Array;
}

/** The samples, row by row. @throws NarrowsError where they are not there; the message is a clause */
export async function pngSamples(header: PngHeader): Promise<PngSamples> {
  const { width, height, depth, colour, palette } = header;
  const bands = BANDS[colour];
  const passes = (header.interlaced ? PASSES : ([[0, 0, 1, 1]] as const))
    .map(([left, top, dx, dy]) => ({ left, top, dx, dy, columns: Math.ceil((width - left) / dx), rows: Math.ceil((height - top) / dy) }))
    .filter(pass => pass.columns > 0 && pass.rows > 0);
  const total = passes.reduce((sum, pass) => sum + pass.rows * (rowBytes(header, pass.columns) + 1), 0);
  const packed = await unpack(header.data, total);
  const data = depth === 16 ? new Uint16Array(width * height * bands) : new Uint8Array(width * height * bands);
  // Greys of fewer bits are spread over the byte; numbers of a palette are not.
  const scale = colour === 0 && depth < 8 ? 255 / ((1 << depth) - 1) : 1;
  let start = 0;
  for (const { left, top, dx, dy, columns, rows } of passes) {
    const stride = rowBytes(header, columns);
    unfilter(packed, start, [stride, rows], Math.max(1, (depth * bands) >> 3));
    for (let y = 0; y < rows; y++) {
      const row = start + y * (stride + 1) + 1;
      let to = ((top + y * dy) * width + left) * bands;
      for (let x = 0; x < columns; x++, to += dx * bands)
        for (let b = 0; b < bands; b++) {
          const i = x * bands + b;
          if (depth === 16) data[to + b] = (packed[row + 2 * i] << 8) | packed[row + 2 * i + 1];
          else if (depth === 8) data[to + b] = packed[row + i];
          else data[to + b] = scale * ((packed[row + ((i * depth) >> 3)] >> (8 - depth - ((i * depth) & 7))) & ((1 << depth) - 1));
        }
    }
    start += rows * (stride + 1);
  }
  if (!palette) return { bands: bands as PngSamples['bands'], data };
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgb[3 * i + c] = palette[3 * data[i] + c] ?? 0;
  return { bands: 3, data: rgb };
}

/** Grey or colour without alpha: samples of 16 bits as `narrowSamples` takes them. */
export function withoutAlpha({ bands, data }: PngSamples): PngSamples {
  if (bands === 1 || bands === 3) return { bands, data };
  const kept = bands === 2 ? 1 : 3;
  const count = data.length / bands;
  const out = data instanceof Uint16Array ? new Uint16Array(count * kept) : new Uint8Array(count * kept);
  for (let i = 0; i < count; i++) for (let c = 0; c < kept; c++) out[i * kept + c] = data[i * bands + c];
  return { bands: kept, data: out };
}
