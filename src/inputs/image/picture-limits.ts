/** @file How large a picture may be, and the sentences about files that are none. No Node imports. */
import { messageOf, NarrowsError } from '../../system/errors.ts';

/** Most pixels a picture may have: where Pillow, too, refuses as a possible decompression bomb (512 MB of RGB). */
export const MAX_PIXELS = 178_956_970;

/** @throws NarrowsError for a picture of more than `most` pixels */
export function checkPixelCount(name: string, width: number, height: number, most = MAX_PIXELS): void {
  if (width * height <= most) return;
  const millions = Math.round((width * height) / 1e6);
  throw new NarrowsError(`${name} is ${width} x ${height}, ${millions} million pixels; the limit is ${most}, so scale it down first.`);
}

/** One sentence for a file that a decoder gave up on. */
export function damagedPicture(name: string, error: unknown): NarrowsError {
  // libvips repeats itself over many lines; its first one says what happened.
  const reason = messageOf(error)
    .replace(/^Input buffer has corrupt header:\s*/, '')
    .split('\n')[0]
    .trim();
  if (/^timeout:/.test(reason)) return new NarrowsError(`${name} takes too long to decode (${reason}); save it anew.`, { cause: error });
  return new NarrowsError(`${name} is damaged or cut short${reason ? ` (${reason})` : ''}; fetch it again or save it anew.`, {
    cause: error,
  });
}
