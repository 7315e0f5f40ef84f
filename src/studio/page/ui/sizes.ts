/** @file Bytes as people read them. */

/** `11 MB`, `1.2 GB`. */
export const sizeText = (bytes: number): string =>
  bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
