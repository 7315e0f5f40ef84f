/** @file Picture bytes to samples through sharp (libvips): the one adaptor between its formats and ours. */
import { type Metadata, sharp } from '../../node/sharp.ts';
import { messageOf } from '../../system/errors.ts';

/** What a file's header says. */
export type CodecHeader = Metadata;

/** Interleaved samples, without alpha where `drop` was asked for. */
export interface CodecSamples {
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  readonly data: Uint8Array | Uint16Array;
}

/** A decoder that needs longer than this for a million pixels, and a minute, is held up by the file. */
const SECONDS = { least: 60, perMegapixel: 1 };

/** Reads the header only, before anything is allocated. Rejects with libvips's message. */
export const readHeader = (bytes: Uint8Array): Promise<CodecHeader> => sharp(bytes, { limitInputPixels: false }).metadata();

/**
 * Decodes with the strictness Pillow has: cut or broken data is an error, stray bytes between JPEG markers are not. Colour profiles are
 * ignored, alpha is dropped without blending. Rejects with libvips's message.
 */
export async function readSamples(bytes: Uint8Array, header: CodecHeader, autoOrient: boolean): Promise<CodecSamples> {
  const decode = async (failOn: 'warning' | 'error'): Promise<CodecSamples> => {
    const image = sharp(bytes, { failOn, ignoreIcc: true, limitInputPixels: false, autoOrient });
    const wide = header.depth === 'ushort';
    if (header.space === 'cmyk') image.pipelineColourspace('cmyk').toColourspace('cmyk');
    else image.removeAlpha().toColourspace(wide || header.space === 'b-w' ? header.space : 'srgb');
    const pixels = (header.width * header.height) / 1e6;
    const { data, info } = await image
      .timeout({ seconds: Math.ceil(SECONDS.least + SECONDS.perMegapixel * pixels) })
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { buffer, byteOffset, byteLength } = data;
    const samples = wide ? new Uint16Array(buffer, byteOffset, byteLength / 2) : new Uint8Array(buffer, byteOffset, byteLength);
    return { width: info.width, height: info.height, bands: info.channels, data: samples };
  };
  return decode(header.format === 'jpeg' ? 'warning' : 'error').catch((error: unknown) => {
    if (/extraneous bytes/.test(messageOf(error))) return decode('error');
    throw error;
  });
}
