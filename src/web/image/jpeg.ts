/** @file What a JPEG's header says, and the file without what browsers act on unasked: its orientation and its colour profile (ITU-T T.81, EXIF). */
import { exifOrientation } from '../../inputs/image/exif.ts';
import { NarrowsError } from '../../system/errors.ts';

/** A header. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colours, 4 inks. */
  readonly components: number;
  readonly orientation?: number;
  /** The file with the names of its EXIF and profile segments changed, so that no decoder knows them. */
  readonly plain: Uint8Array<ArrayBuffer>;
}

/** True for a file that begins as a JPEG. */
export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

const text = (bytes: Uint8Array, at: number, length: number): string => String.fromCharCode(...bytes.subarray(at, at + length));

/** @throws NarrowsError for a file without a frame header; the message is a clause */
export function jpegHeader(bytes: Uint8Array): JpegHeader {
  const plain = new Uint8Array(bytes);
  let orientation: number | undefined;
  let frame: Pick<JpegHeader, 'width' | 'height' | 'components'> | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1];
    // Fill bytes, and markers without a body.
    if (marker === 0xff || marker === 0 || (marker >= 0xd0 && marker <= 0xd8) || marker === 1) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) break;
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    const body = at + 4;
    if (marker === 0xe1 && text(bytes, body, 6) === 'Exif\0\0') {
      orientation ??= exifOrientation(bytes.subarray(body + 6, at + 2 + length));
      plain.set([0x78, 0x78, 0x78, 0x78], body);
    }
    if (marker === 0xe2 && text(bytes, body, 12) === 'ICC_PROFILE\0') plain.set([0x78, 0x78, 0x78], body);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      const [height, width] = [(bytes[body + 1] << 8) | bytes[body + 2], (bytes[body + 3] << 8) | bytes[body + 4]];
      frame ??= { width, height, components: bytes[body + 5] };
    }
    at += 2 + length;
  }
  if (!frame || frame.width === 0 || frame.height === 0) throw new NarrowsError('its header is missing');
  return { ...frame, orientation, plain };
}
