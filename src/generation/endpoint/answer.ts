/** @file A question about pictures, answered by an endpoint. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import type { Endpoint } from './client.ts';
import { pictureUri } from './picture.ts';
import type { EndpointAnswer } from './reply.ts';
import type { EndpointSettings } from './request.ts';

/** How a question is put to an endpoint. */
export interface AnswerThroughOptions extends EndpointSettings {
  readonly system?: string;
  /** Number of this asking, 0 for the first. */
  readonly repeat?: number;
}

/**
 * Asks an endpoint one question, by default with temperature 0 and seed 0.
 * @param prompt the user's turn; `<image>` where pictures stand, none where they stand before the text
 * @param pictures encoded bytes (PNG, JPEG, GIF, WebP) or pixels, which are sent as PNG
 * @throws as `Endpoint.ask` and `pictureUri`
 */
export async function answerThroughEndpoint(
  endpoint: Endpoint,
  prompt: string,
  pictures: readonly (Uint8Array | RgbImage)[] = [],
  { system, repeat, ...settings }: AnswerThroughOptions = {},
): Promise<EndpointAnswer> {
  const uris = await Promise.all(pictures.map(pictureUri));
  const user = { role: 'user' as const, content: prompt, ...(uris.length ? { pictures: uris } : {}) };
  const messages = system === undefined ? [user] : [{ role: 'system' as const, content: system }, user];
  return endpoint.ask(messages, { temperature: 0, maxTokens: 128, seed: 0, ...settings }, repeat);
}
