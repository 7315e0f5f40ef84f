/**
 * @file Who may ask the studio's server: a page that it served itself, in this very start. Every rule stands alone, since each closes a way that
 * the others leave open: a name that was made to point here (DNS rebinding) brings no `Sec-Fetch-Site`, a foreign picture element no `Origin`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PROTOCOL_VERSION, StudioError } from '../../studio/protocol.ts';
import { PROTOCOL_HEADER, TOKEN_HEADER } from '../../studio/wire.ts';

/** A request that is refused before anything is done; `status` of HTTP. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Names under which the server answers: exactly these, with its port. */
export const hostsOf = (port: number): readonly string[] => [`127.0.0.1:${port}`, `localhost:${port}`];

/**
 * Host, origin and fetch metadata, for the page's files too.
 * @throws Refused 403 (421 for another name)
 */
export function checkSource({ headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>, port: number): void {
  const hosts = hostsOf(port);
  // Node would take the first of two.
  const named = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (named !== 1 || !hosts.includes(headers.host ?? ''))
    throw new Refused(421, 'The studio answers only under the address that it printed.');
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${headers.host}`) throw new Refused(403, 'Another page may not ask the studio.');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new Refused(403, 'Another page may not ask the studio.');
}

/** The token of this start and the protocol. @throws StudioError for another token or form of protocol */
export function checkToken({ headers }: Pick<IncomingMessage, 'headers'>, token: string): void {
  const given = headers[TOKEN_HEADER];
  if (typeof given !== 'string' || !timingSafeEqual(digest(given), digest(token)))
    throw new Refused(401, 'This is no page of this start of the studio; open the address that it printed.');
  const protocol = headers[PROTOCOL_HEADER];
  if (protocol !== String(PROTOCOL_VERSION))
    throw new StudioError('usage', 'The page and the server are of different versions of Narrows; load the page again.');
}

/**
 * Reads a body of at most `most` bytes of a type that no foreign form can send.
 * @throws Refused 413, 415; 400 where it was cut short
 */
export async function readBody(request: IncomingMessage, type: string, most: number): Promise<Uint8Array> {
  const { headers } = request;
  const said = (headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (said !== type) throw new Refused(415, `The content type must be ${type}.`);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new Refused(415, 'Bodies are read as they are, never unpacked.');
  const large = (): Refused => new Refused(413, `The request has more than ${Math.floor(most / 2 ** 20)} MB.`);
  if (Number(headers['content-length'] ?? 0) > most) throw large();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request) {
      bytes += (part as Buffer).length;
      if (bytes > most) throw large();
      parts.push(part as Buffer);
    }
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(400, 'The request was cut short.');
  }
  return Buffer.concat(parts);
}
