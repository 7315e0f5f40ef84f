/** @file Pictures of a request: data URIs only. An address would let a stranger make the server fetch what it can reach. */
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { messageOf } from '../../system/errors.ts';
import { ApiError } from './api-error.ts';

const DATA = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** @throws ApiError for anything but a base64 data URI of a picture that can be decoded */
export async function requestPicture(uri: string, number: number, options: ImageReadOptions): Promise<RgbImage> {
  const refuse = (message: string): ApiError => new ApiError(400, message, null, 'messages');
  const head = DATA.exec(uri);
  if (!head) throw refuse(`Picture ${number} is no data URI; send its bytes as data:image/png;base64,…, since addresses are not fetched.`);
  const base64 = uri.slice(head[0].length).replace(/\s/g, '');
  if (base64 === '' || !BASE64.test(base64)) throw refuse(`Picture ${number} is no base64 text.`);
  try {
    return await decodeImage(Buffer.from(base64, 'base64'), { ...options, name: `${number} of a request` });
  } catch (error) {
    throw refuse(messageOf(error));
  }
}
