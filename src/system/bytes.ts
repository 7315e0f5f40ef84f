/** @file Bytes as text, wherever the code runs. */

/** Characters that one call of `fromCharCode` takes without a risk to the stack. */
const PIECE = 8192;

/** Each byte as the character of that code (ISO 8859-1; `TextDecoder('latin1')` is Windows-1252 and differs from 128 to 159). */
export function latin1(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) parts.push(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  return parts.join('');
}

/** Base64 with `+`, `/` and padding (RFC 4648, section 4). */
export const base64 = (bytes: Uint8Array): string => btoa(latin1(bytes));
