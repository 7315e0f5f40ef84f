/** @file Pictures that the studio has, by the SHA-256 of their files: examples, what the page sent, and pictures of lists. Old ones give way. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Turns } from '../../generation/endpoint/turns.ts';
import { type DecodedImage, decodeImage } from '../../inputs/image/decode.ts';
import { readImageFile } from '../../inputs/image/image-file.ts';
import { sharpCodec } from '../../report/attribution/sharp-codec.ts';
import type { PictureInfo } from '../../studio/facts.ts';
import { identified, pictureId, readPictureId } from '../../studio/picture-id.ts';
import { StudioError } from '../../studio/protocol.ts';
import { PromiseCache } from '../../system/promise-cache.ts';

/** Most bytes of a picture's file, and most pixels of a picture. */
export const PICTURE_LIMITS = { bytes: 32 * 2 ** 20, pixels: 50_000_000 } as const;

/** Bytes of decoded pixels that are kept. */
const ROOM = 512 * 2 ** 20;

/** Most files of several frames that are kept. */
const FILES = 4;

/** A picture with what it was read from. */
export interface ShelvedPicture {
  readonly info: PictureInfo;
  readonly image: DecodedImage;
  /** Of its file. */
  readonly sha256: string;
  /** Where its file is; only known for files that the studio was given. */
  readonly path?: string;
}

/** A picture for the page. */
interface PictureFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Decodes one picture at a time: a few large ones at once would fill the memory. */
export class PictureShelf {
  private readonly pictures = new Map<string, ShelvedPicture>();
  /** Files that may be read again once their pixels have given way. */
  private readonly paths = new Map<string, { readonly path: string; readonly name: string }>();
  /** Files of several frames: another one may be asked for. */
  private readonly files = new Map<string, { readonly bytes: Uint8Array; readonly name: string }>();
  private readonly turns = new Turns(1);
  private readonly drawing = new PromiseCache<PictureFile>();
  private bytes = 0;

  /**
   * @param frame of a DICOM file of several, from 1; without one such a file is refused
   * @throws NarrowsError for what is no picture or too large
   */
  add(bytes: Uint8Array, name: string, frame?: number): Promise<ShelvedPicture> {
    return this.turns.take(async () => {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const known = this.pictures.get(sha256) ?? (frame === undefined ? undefined : this.pictures.get(pictureId(sha256, frame)));
      if (known) return this.keep({ ...known, info: { ...known.info, name } });
      const image = await decodeImage(bytes, { name, maxPixels: PICTURE_LIMITS.pixels, frame });
      const warnings = image.reading.warnings.map(({ message }) => `The picture: ${message}`);
      const { id, frames } = identified(sha256, image.reading);
      if (frames) this.keepFile(sha256, { bytes, name });
      const { width, height } = image;
      return this.keep({ info: { id, name, width, height, ...(frames ? { frames } : {}), warnings }, image, sha256 });
    });
  }

  /** A picture of a file that the studio was given; it is found again for as long as the file stays the same. @param frame as for `add` */
  async addFile(path: string, name = basename(path), frame?: number): Promise<ShelvedPicture> {
    const picture = await this.add(await readImageFile(path), name, frame);
    this.paths.set(picture.sha256, { path, name });
    return this.keep({ ...picture, path });
  }

  /** Does what decodes a picture while nothing else does. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.turns.take(work);
  }

  /** @throws StudioError `missing`, NarrowsError for a frame that the file has not */
  async get(id: string): Promise<ShelvedPicture> {
    const known = this.pictures.get(id);
    if (known) return this.keep(known);
    const { sha256, frame } = readPictureId(id);
    const kept = this.files.get(sha256);
    if (kept) return this.add(kept.bytes, kept.name, frame);
    const file = this.paths.get(sha256);
    const again = file && (await this.addFile(file.path, file.name, frame).catch(() => undefined));
    if (again?.info.id === id) return again;
    throw new StudioError(
      'missing',
      `The studio does not have the picture that begins with ${id.slice(0, 8)} (any more); open its file again.`,
    );
  }

  /** A picture for the page: PNG, or JPEG where that is shown small. @param longest side in pixels that is enough */
  file(id: string, longest?: number): Promise<PictureFile> {
    const key = `${id} ${longest ?? ''}`;
    // Pages that ask at once share the work.
    return this.drawing.get(key, () => this.draw(id, longest).finally(() => this.drawing.delete(key)));
  }

  private async draw(id: string, longest?: number): Promise<PictureFile> {
    const { image } = await this.get(id);
    const factor = longest === undefined ? 1 : Math.min(1, longest / Math.max(image.width, image.height));
    if (factor === 1) return { type: 'image/png', bytes: await sharpCodec.encode(image, 'fast-png') };
    const [width, height] = [image.width, image.height].map(side => Math.max(1, Math.round(side * factor)));
    const small = await sharpCodec.resize(image, width, height, 'lanczos3');
    return { type: 'image/jpeg', bytes: await sharpCodec.encode(small, 'jpeg') };
  }

  /** Keeps a file of several frames; the one that was kept first gives way. */
  private keepFile(sha256: string, file: { readonly bytes: Uint8Array; readonly name: string }): void {
    this.files.delete(sha256);
    this.files.set(sha256, file);
    if (this.files.size > FILES) this.files.delete(this.files.keys().next().value as string);
  }

  /** Puts it last in the order in which pictures give way. */
  private keep(picture: ShelvedPicture): ShelvedPicture {
    const { id } = picture.info;
    if (this.pictures.delete(id)) this.bytes -= picture.image.data.length;
    this.pictures.set(id, picture);
    this.bytes += picture.image.data.length;
    for (const [old, { image }] of this.pictures) {
      if (this.bytes <= ROOM || old === id) break;
      this.pictures.delete(old);
      this.bytes -= image.data.length;
    }
    return picture;
  }
}
