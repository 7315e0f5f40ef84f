/** @file What a WebP's header says, and its picture without the alpha plane, which browsers would mix in (RFC 9649). */
import { exifOrientation } from '../../inputs/image/exif.ts';
import { NarrowsError } from '../../system/errors.ts';

/** A header. */
export interface WebpHeader {
  readonly width: number;
  readonly height: number;
  readonly animated: boolean;
  readonly orientation?: number;
  /** Its one stream holds transparency among the colours (without loss); of a lossy one the alpha plane is left out of `plain`. */
  readonly alpha: boolean;
  /** A file with nothing but the coded picture. */
  readonly plain: Uint8Array<ArrayBuffer>;
}

const text = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

/** True for a file that begins as a WebP. */
export const isWebp = (bytes: Uint8Array): boolean => bytes.length > 16 && text(bytes, 0) === 'RIFF' && text(bytes, 8) === 'WEBP';

/** Size by the bit stream itself. */
function streamSize(kind: string, body: Uint8Array): [number, number] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (kind === 'VP8 ') return [view.getUint16(6, true) & 0x3fff, view.getUint16(8, true) & 0x3fff];
  const bits = view.getUint32(1, true);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}

/** The chunk as a file by itself. */
function simpleFile(kind: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(20 + body.length + (body.length & 1));
  const view = new DataView(out.buffer);
  const put = (at: number, name: string): void =>
    void out.set(
      [...name].map(c => c.charCodeAt(0)),
      at,
    );
  put(0, 'RIFF');
  view.setUint32(4, out.length - 8, true);
  put(8, `WEBP${kind}`);
  view.setUint32(16, body.length, true);
  out.set(body, 20);
  return out;
}

/** @throws NarrowsError for a file without a picture; the message is a clause */
export function webpHeader(bytes: Uint8Array): WebpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation: number | undefined;
  let canvas: [number, number] | undefined;
  let stream: { kind: string; body: Uint8Array } | undefined;
  let animated = false;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const kind = text(bytes, at);
    const length = view.getUint32(at + 4, true);
    const body = bytes.subarray(at + 8, at + 8 + length);
    const whole = (from: number): number => body[from] | (body[from + 1] << 8) | (body[from + 2] << 16);
    if (kind === 'VP8X' && body.length >= 10) {
      animated = (body[0] & 2) !== 0;
      canvas = [whole(4) + 1, whole(7) + 1];
    } else if ((kind === 'VP8 ' || kind === 'VP8L') && body.length >= 10) stream ??= { kind, body };
    // Some writers put JPEG's mark in front.
    else if (kind === 'EXIF') orientation ??= exifOrientation(text(body, 0) === 'Exif' ? body.subarray(6) : body);
    at += 8 + length + (length & 1);
  }
  if (animated) {
    if (!canvas) throw new NarrowsError('its header is missing');
    return { width: canvas[0], height: canvas[1], animated, orientation, alpha: false, plain: new Uint8Array(bytes) };
  }
  if (!stream) throw new NarrowsError('its picture is missing');
  const [width, height] = streamSize(stream.kind, stream.body);
  // Bit 28 after the signature tells that alpha is used.
  const alpha = stream.kind === 'VP8L' && (stream.body[4] & 0x10) !== 0;
  return { width, height, animated, orientation, alpha, plain: simpleFile(stream.kind, stream.body) };
}
