/** @file Types of packages that bring none. */
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs';
declare module '@cornerstonejs/codec-openjpeg/decode';
declare module '@cornerstonejs/codec-charls/decodewasmjs';
declare module '@cornerstonejs/codec-charls/decode';
declare module 'jpeg-lossless-decoder-js';
