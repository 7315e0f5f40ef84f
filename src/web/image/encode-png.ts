/** @file PNG files from pixels, without a canvas, which would multiply colours by their transparency (PNG specification, third edition). */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function chunk(type: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(12 + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  out.set(
    [...type].map(c => c.charCodeAt(0)),
    4,
  );
  out.set(body, 8);
  let crc = 0xffffffff;
  for (let i = 4; i < 8 + body.length; i++) crc = CRC[(crc ^ out[i]) & 255] ^ (crc >>> 8);
  view.setUint32(8 + body.length, crc ^ 0xffffffff);
  return out;
}

/** A byte's forecast by each filter: none, left, above, mean, Paeth. */
function forecast(filter: number, left: number, up: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const p = left + up - corner;
  const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** Rows with their filters: for each the one whose differences are least. */
function filtered(data: Uint8Array, stride: number, step: number, filters: readonly number[]): Uint8Array<ArrayBuffer> {
  const rows = data.length / stride;
  const out = new Uint8Array(rows * (stride + 1));
  const tries = filters.map(() => new Uint8Array(stride));
  for (let y = 0; y < rows; y++) {
    const row = y * stride;
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const [f, filter] of filters.entries()) {
      let cost = 0;
      for (let i = 0; i < stride; i++) {
        const left = i >= step ? data[row + i - step] : 0;
        const up = y > 0 ? data[row + i - stride] : 0;
        const corner = y > 0 && i >= step ? data[row + i - stride - step] : 0;
        const d = (data[row + i] - forecast(filter, left, up, corner)) & 255;
        tries[f][i] = d;
        cost += d < 128 ? d : 256 - d;
      }
      if (cost < least) [least, best] = [cost, f];
    }
    out[y * (stride + 1)] = filters[best];
    out.set(tries[best], y * (stride + 1) + 1);
  }
  return out;
}

/**
 * PNG bytes of 8-bit RGB or RGBA, the latter not premultiplied.
 * @param fast one filter for all rows in place of the best for each
 */
export async function encodePng(width: number, height: number, data: Uint8Array, fast = false): Promise<Uint8Array<ArrayBuffer>> {
  const bands = data.length / (width * height);
  const rows = filtered(data, width * bands, bands, fast ? [1] : [0, 1, 2, 3, 4]);
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate')));
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, bands === 4 ? 6 : 2], 8);
  const parts = [chunk('IHDR', header), chunk('IDAT', new Uint8Array(await packed.arrayBuffer())), chunk('IEND', new Uint8Array())];
  return new Uint8Array(await new Blob([new Uint8Array(SIGNATURE), ...parts]).arrayBuffer());
}
