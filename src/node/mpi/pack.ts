/** @file Values as bytes for a message: what can be cloned into another thread, NaN and typed arrays included. */
import { deserialize, serialize } from 'node:v8';

/** Bytes of a value. */
export const pack = (value: unknown): Uint8Array => serialize(value);

/** The value of bytes that `pack` made. */
export const unpack = (bytes: Uint8Array): unknown => deserialize(bytes);
