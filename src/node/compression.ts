/** @file Node's own compression. */
export { gunzipSync } from 'node:zlib';
