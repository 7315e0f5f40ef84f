/** @file One row of an audit opened: its picture, its map, a small picture of it. */
import { decodeImage } from '../../inputs/image/decode.ts';
import { sharpCodec } from '../../report/attribution/sharp-codec.ts';
import type { AuditDetail } from '../../studio/facts.ts';
import type { AuditTable } from './audit-rows.ts';
import { PICTURE_LIMITS, type PictureShelf } from './picture-shelf.ts';

/** The real path of a picture, where the page may see it. @throws StudioError where it may not */
type Readable = (path: string) => Promise<string>;

/** Longest side of a small picture, in pixels. */
const SMALL = 160;

/** @throws StudioError for a row that is not there or a picture that may not be shown, NarrowsError for one that is none */
export async function rowDetail(pictures: PictureShelf, table: AuditTable, key: string, readable: Readable): Promise<AuditDetail> {
  const { keyed, row, record } = await table.one(key);
  const { info } = await pictures.addFile(await readable(keyed.pair.path));
  const { grid, view, patches, words, unit = 'nats' } = record ?? {};
  return {
    row,
    picture: info,
    ...(grid && view && patches ? { map: { unit, grid, view, patches } } : {}),
    ...(words ? { words: words.map(({ text, value }) => ({ text, value })) } : {}),
  };
}

/** A row's picture, small. @throws as `rowDetail` */
export async function rowThumbnail(pictures: PictureShelf, table: AuditTable, key: string, readable: Readable) {
  const { keyed, record } = await table.one(key);
  const [, type, data] = /^data:(image\/(?:png|webp|jpeg));base64,(.+)$/.exec(record?.thumbnail ?? '') ?? [];
  if (data !== undefined) return { type, bytes: Buffer.from(data, 'base64') };
  const path = await readable(keyed.pair.path);
  return pictures.alone(async () => {
    const image = await decodeImage(path, { maxPixels: PICTURE_LIMITS.pixels });
    const factor = Math.min(1, SMALL / Math.max(image.width, image.height));
    const [width, height] = [image.width, image.height].map(side => Math.max(1, Math.round(side * factor)));
    return { type: 'image/jpeg', bytes: await sharpCodec.encode(await sharpCodec.resize(image, width, height, 'lanczos3'), 'jpeg') };
  });
}
