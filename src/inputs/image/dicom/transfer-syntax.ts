/** @file The transfer syntaxes of DICOM files: how pixels are packed, and whether they are read here. No Node imports. */

/** How a frame's pixels are packed. */
export type Packing = 'native' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000';

/** One transfer syntax that is read. */
export interface TransferSyntax {
  readonly name: string;
  readonly packing: Packing;
  readonly bigEndian?: true;
}

/** By UID (PS3.5 annex A). */
export const TRANSFER_SYNTAXES: Readonly<Record<string, TransferSyntax>> = {
  '1.2.840.10008.1.2': { name: 'implicit VR little endian', packing: 'native' },
  '1.2.840.10008.1.2.1': { name: 'explicit VR little endian', packing: 'native' },
  '1.2.840.10008.1.2.1.99': { name: 'deflated explicit VR little endian', packing: 'native' },
  '1.2.840.10008.1.2.2': { name: 'explicit VR big endian', packing: 'native', bigEndian: true },
  '1.2.840.10008.1.2.5': { name: 'RLE lossless', packing: 'rle' },
  '1.2.840.10008.1.2.4.50': { name: 'JPEG baseline', packing: 'jpeg' },
  '1.2.840.10008.1.2.4.51': { name: 'JPEG extended', packing: 'jpeg' },
  '1.2.840.10008.1.2.4.57': { name: 'JPEG lossless', packing: 'jpeg-lossless' },
  '1.2.840.10008.1.2.4.70': { name: 'JPEG lossless, selection value 1', packing: 'jpeg-lossless' },
  '1.2.840.10008.1.2.4.80': { name: 'JPEG-LS lossless', packing: 'jpeg-ls' },
  '1.2.840.10008.1.2.4.81': { name: 'JPEG-LS near-lossless', packing: 'jpeg-ls' },
  '1.2.840.10008.1.2.4.90': { name: 'JPEG 2000 lossless', packing: 'jpeg-2000' },
  '1.2.840.10008.1.2.4.91': { name: 'JPEG 2000', packing: 'jpeg-2000' },
};

/** What is read, in words. */
export const PACKINGS = 'uncompressed (also deflated), RLE, JPEG (8 bits), JPEG lossless, JPEG-LS and JPEG 2000';
