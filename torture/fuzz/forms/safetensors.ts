/** @file Safetensors: every other time the header's JSON is changed and its length made to fit, else the bytes are. */

import type { Form } from '../mutation.ts';
import { bytes } from './bytes.ts';
import { json } from './json.ts';

/** Eight bytes of length, a header of JSON, the values. */
export const safetensors: Form = {
  apply(content, mutation, others) {
    const kind = mutation.kind >> 1;
    const length = content.length < 8 ? 0 : Number(content.readBigUInt64LE(0));
    if (mutation.kind % 2 === 0 || length === 0 || length > content.length - 8) return bytes.apply(content, { ...mutation, kind }, others);
    const header = json.apply(content.subarray(8, 8 + length), { ...mutation, kind }, []);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([size, header, content.subarray(8 + length)]);
  },
};
