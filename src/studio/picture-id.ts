/**
 * @file How pictures are called between page and backend: the SHA-256 of the file, and of a DICOM file of several frames which of them, from 1:
 * `HASH.2`. A picture is always the same pixels, so that results, links and exports need no more than its id.
 */

/** Such ids. */
export const PICTURE_ID = /^[0-9a-f]{64}(?:\.[1-9]\d{0,5})?$/;

/** The id of a file's picture. @param frame of several, from 1 */
export const pictureId = (sha256: string, frame?: number): string => (frame === undefined ? sha256 : `${sha256}.${frame}`);

/** The file's SHA-256, and the frame where the id names one. */
export function readPictureId(id: string): { readonly sha256: string; readonly frame?: number } {
  const [sha256, frame] = id.split('.');
  return frame === undefined ? { sha256 } : { sha256, frame: Number(frame) };
}

/** What a picture that was read is called, and which frame of how many it is. */
export function identified(
  sha256: string,
  { pages, dicom }: { readonly pages?: number; readonly dicom?: { readonly frame?: number } },
): { readonly id: string; readonly frames?: { readonly shown: number; readonly of: number } } {
  const shown = dicom?.frame;
  if (shown === undefined || pages === undefined) return { id: sha256 };
  return { id: pictureId(sha256, shown), frames: { shown, of: pages } };
}
