/** @file Who may ask: the token, the host that a browser thinks it speaks to, and the size of what is sent. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../../generation/endpoint/address.ts';
import { parsePlain } from '../../system/json-depth.ts';
import { ApiError } from './api-error.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @throws ApiError 401 where a token is needed and another, or none, is given */
export function checkToken(request: IncomingMessage, token: string | undefined): void {
  if (token === undefined) return;
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!timingSafeEqual(digest(given), digest(token)))
    throw new ApiError(401, 'This server asks for a token (Authorization: Bearer …), and this is not it.', 'invalid_api_key');
}

/**
 * Of a server on the loopback: a page that made its own name point here (DNS rebinding) names itself as the host.
 * @throws ApiError 403
 */
export function checkHost(request: IncomingMessage): void {
  const host = request.headers.host ?? '';
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
  if (!isLoopback(name)) throw new ApiError(403, 'This server is for this machine only, and was asked under another name.');
}

/** Reads a body of JSON. @throws ApiError 413 for one that is too large, 415 for another type, 400 for no JSON */
export async function readJsonBody(request: IncomingMessage, most: number): Promise<unknown> {
  // A page of another origin can send text, but not this type, without being asked first.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new ApiError(415, 'The content type must be application/json.');
  const large = (): ApiError => new ApiError(413, `The request has more than ${Math.floor(most / 2 ** 20)} MB; send smaller pictures.`);
  if (Number(request.headers['content-length'] ?? 0) > most) throw large();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > most) throw large();
    parts.push(part as Buffer);
  }
  try {
    return parsePlain(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new ApiError(400, 'The body is no JSON.');
  }
}
