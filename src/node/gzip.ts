/** @file gzip of texts. */
import { gunzipSync, gzipSync } from 'node:zlib';

/** A text as gzip; the same text, the same bytes. */
export const gzipText = (text: string): Uint8Array => gzipSync(text, { level: 9 });

/** The text in gzip bytes. @param limit bytes that it may have, unpacked @throws Error where the bytes are damaged, no gzip, or of more text */
export const gunzipText = (bytes: Uint8Array, limit = 2 ** 26): string => gunzipSync(bytes, { maxOutputLength: limit }).toString('utf8');
