/** @file Pictures of the page: decoded when they come, kept as files, so that many fit. */
import { digestHex } from '../../system/sha256.ts';
import { decodeImage, MAX_BYTES } from '../../web/image/decode.ts';
import { encodePng } from '../../web/image/encode-png.ts';
import { onCanvas } from '../../web/picture-codec.ts';
import type { PictureInfo } from '../facts.ts';
import { identified, readPictureId } from '../picture-id.ts';
import { StudioError } from '../protocol.ts';
import type { SentPicture } from './messages.ts';
import type { BrowserExample } from './settings.ts';

interface Kept {
  readonly info: PictureInfo;
  readonly file: Blob;
}

/** Pictures by their ids (picture-id.ts). */
export class Pictures {
  private readonly kept = new Map<string, Kept>();
  /** Files of several frames. */
  private readonly films = new Map<string, { readonly file: Blob; readonly name: string }>();
  /** The one that was decoded last: a page asks for the same again and again. */
  private decoded: SentPicture | undefined;

  /** @param examples fetched when they are asked for */
  constructor(private readonly examples: readonly BrowserExample[]) {}

  /**
   * @param frame of a DICOM file of several, from 1; without one such a file is refused
   * @throws StudioError `input` for what is no picture or too large
   */
  async add(file: Blob, name: string, frame?: number): Promise<PictureInfo> {
    if (file.size > MAX_BYTES)
      throw new StudioError('input', `${name} has ${Math.round(file.size / 2 ** 20)} MB; the limit is ${MAX_BYTES / 2 ** 20}.`);
    const bytes = new Uint8Array(
      await file.arrayBuffer().catch(() => {
        throw new StudioError('input', `${name} cannot be read (it may have changed since it was chosen); choose it again.`);
      }),
    );
    const sha256 = await digestHex(bytes);
    const image = await decodeImage(bytes, { name, frame });
    const { width, height, reading } = image;
    const { id, frames } = identified(sha256, reading);
    const info = { id, name, width, height, ...(frames ? { frames } : {}), warnings: reading.warnings.map(({ message }) => message) };
    this.decoded = { id, name, image };
    this.kept.set(id, { info, file });
    if (frames) this.films.set(sha256, { file, name });
    return info;
  }

  private async find(id: string): Promise<Kept> {
    const known = this.kept.get(id);
    if (known) return known;
    const { sha256, frame } = readPictureId(id);
    const film = this.films.get(sha256);
    if (film) {
      await this.add(film.file, film.name, frame);
      return this.kept.get(id) as Kept;
    }
    const example = this.examples.find(({ picture }) => picture.id === id);
    if (!example) throw new StudioError('missing', 'This page does not have the picture any more; choose it again.');
    const response = await fetch(example.address).catch(() => undefined);
    if (!response?.ok) throw new StudioError('offline', `The example ${example.picture.name} cannot be loaded; check the network.`);
    const info = await this.add(await response.blob(), example.picture.name);
    if (info.id !== id)
      throw new StudioError('input', `The example ${example.picture.name} is not the picture that this page was built with.`);
    return this.kept.get(id) as Kept;
  }

  /** @throws StudioError `missing` */
  async info(id: string): Promise<PictureInfo> {
    return (await this.find(id)).info;
  }

  /** A picture for the worker. @throws StudioError `missing` */
  async sent(id: string): Promise<SentPicture> {
    const { file, info } = await this.find(id);
    if (this.decoded?.id !== id)
      this.decoded = { id, name: info.name, image: await decodeImage(file, { name: info.name, frame: info.frames?.shown }) };
    return this.decoded;
  }

  /** The picture as it was read, as PNG or, made smaller, as JPEG. */
  async asFile(id: string, longest?: number): Promise<Blob> {
    const { image } = await this.sent(id);
    const { width, height, data } = image;
    const scale = longest === undefined ? 1 : Math.min(1, longest / Math.max(width, height));
    if (scale === 1) return new Blob([await encodePng(width, height, data, true)], { type: 'image/png' });
    const small = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    const context = small.getContext('2d');
    if (!context) throw new StudioError('internal', 'This browser gives no canvas to draw with; restart it.');
    context.imageSmoothingQuality = 'high';
    context.drawImage(onCanvas(image), 0, 0, small.width, small.height);
    return small.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
  }
}
