/** @file DICOM's RLE (PS3.5 annex G): a segment of packed bits per byte of each sample, the highest byte first. No Node imports. */

/** Unpacks one segment (PackBits). */
function unpack(source: Uint8Array, out: Uint8Array): number {
  let at = 0;
  for (let i = 0; i < source.length && at < out.length; ) {
    const n = source[i++];
    if (n < 128) {
      const count = Math.min(n + 1, out.length - at, source.length - i);
      out.set(source.subarray(i, i + count), at);
      i += n + 1;
      at += count;
    } else if (n > 128) {
      const count = Math.min(257 - n, out.length - at);
      out.fill(source[i++], at, at + count);
      at += count;
    }
  }
  return at;
}

/**
 * Decodes a frame to samples, interleaved, of 8 or 16 bits, little endian.
 * @throws RangeError for segments that are missing or too short
 */
export function decodeRle(source: Uint8Array, pixels: number, samples: number, bytesPerSample: number): Uint8Array {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const count = view.getUint32(0, true);
  if (count !== samples * bytesPerSample) throw new RangeError('another number of segments than samples');
  const starts = Array.from({ length: count }, (_, i) => view.getUint32(4 + 4 * i, true));
  const out = new Uint8Array(pixels * samples * bytesPerSample);
  const plane = new Uint8Array(pixels);
  for (const [k, start] of starts.entries()) {
    const filled = unpack(source.subarray(start, starts[k + 1] ?? source.length), plane);
    if (filled < pixels) throw new RangeError('a segment that ends early');
    const sample = Math.floor(k / bytesPerSample);
    const byte = bytesPerSample - 1 - (k % bytesPerSample);
    for (let i = 0; i < pixels; i++) out[(i * samples + sample) * bytesPerSample + byte] = plane[i];
  }
  return out;
}
