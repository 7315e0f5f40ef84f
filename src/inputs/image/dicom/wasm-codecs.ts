/** @file OpenJPEG and CharLS as WebAssembly, which they find beside their script: for Node. */
import type { LoadCodec } from './codecs.ts';

/** See `LoadCodec`. */
export const wasmCodec: LoadCodec = kind =>
  kind === 'jpeg-2000' ? import('@cornerstonejs/codec-openjpeg/decodewasmjs') : import('@cornerstonejs/codec-charls/decodewasmjs');
