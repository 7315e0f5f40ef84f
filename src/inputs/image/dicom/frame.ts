/** @file One frame of a DICOM file as whole numbers, as pydicom's `pixel_array` has them. */
import { NarrowsError } from '../../../system/errors.ts';
import { CodecMissing, type DecodedFrame, decodeByCodec, decodeLossless, type LoadCodec } from './codecs.ts';
import { ybrToRgb } from './colour.ts';
import { type DicomHeader, loadParser } from './dataset.ts';
import { decodeRle } from './rle.ts';

/** Samples of a frame [rows × columns × samples], interleaved. */
export interface DicomFrame {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly values: Int32Array;
}

/** Colour that a JPEG decoder shall leave alone: libjpeg takes three components for YCbCr unless this marker says otherwise. */
function withoutTransform(source: Uint8Array): Uint8Array {
  for (let at = 2; at + 4 < source.length && source[at] === 0xff; at += 2 + source[at + 2] * 256 + source[at + 3])
    if (source[at + 1] === 0xee) return source;
  const adobe = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];
  const out = new Uint8Array(source.length + adobe.length);
  out.set(source.subarray(0, 2));
  out.set(adobe, 2);
  out.set(source.subarray(2), 2 + adobe.length);
  return out;
}

/** Bits per sample of a JPEG by its frame header. */
function jpegBits(source: Uint8Array): number {
  for (let at = 2; at + 4 < source.length && source[at] === 0xff; at += 2 + source[at + 2] * 256 + source[at + 3]) {
    const marker = source[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return source[at + 4];
  }
  return 8;
}

/** Decodes a JPEG of 8 bits to interleaved samples, as `codec.ts` does by sharp. */
export type JpegDecoder = (
  source: Uint8Array,
) => Promise<{ readonly width: number; readonly height: number; readonly bands: number; readonly data: Uint8Array | Uint16Array }>;

/** What compressed frames are decoded with. */
export interface FrameDecoders {
  readonly jpeg: JpegDecoder;
  readonly codec: LoadCodec;
}

async function decodeJpeg(name: string, source: Uint8Array, photometric: string, jpeg: JpegDecoder): Promise<DecodedFrame> {
  const bits = jpegBits(source);
  if (bits !== 8)
    throw new NarrowsError(
      `${name} is a DICOM file with JPEG of ${bits} bits per sample, of which 8 are read; export it uncompressed or as JPEG 2000.`,
    );
  const { width, height, bands, data } = await jpeg(photometric === 'RGB' ? withoutTransform(source) : source);
  return { width, height, components: bands, bits: 8, signed: false, bytes: data as Uint8Array };
}

/** The compressed bytes of a frame, its fragments put together. */
async function encapsulated({ dataSet, frames }: DicomHeader, frame: number): Promise<Uint8Array> {
  const parser = await loadParser();
  const element = dataSet.elements.x7fe00010;
  const fragments = element.fragments ?? [];
  const joined =
    frames === 1
      ? parser.readEncapsulatedPixelDataFromFragments(dataSet, element, 0, fragments.length)
      : (element.basicOffsetTable?.length ?? 0) > 0
        ? parser.readEncapsulatedImageFrame(dataSet, element, frame)
        : fragments.length === frames
          ? parser.readEncapsulatedPixelDataFromFragments(dataSet, element, frame, 1)
          : parser.readEncapsulatedImageFrame(dataSet, element, frame, parser.createJPEGBasicOffsetTable(dataSet, element));
  return new Uint8Array(joined.buffer, joined.byteOffset, joined.byteLength);
}

/** Uncompressed bytes of a frame. @throws RangeError where the file ends before it */
function native(header: DicomHeader, frame: number): Uint8Array {
  const { dataSet, rows, columns, samples, bitsAllocated, photometric, frames, syntax } = header;
  const element = dataSet.elements.x7fe00010;
  const halved = photometric === 'YBR_FULL_422';
  const length = (rows * columns * samples * (bitsAllocated / 8) * (halved ? 2 : 3)) / 3;
  const from = element.dataOffset + frame * length;
  const end = Math.min(element.dataOffset + element.length, dataSet.byteArray.length);
  if (from + length > end || frame >= frames) throw new RangeError('fewer bytes than pixels');
  // Samples of 8 bits that stand in words of 16 (OW) are exchanged with them in big endian.
  const swapped = syntax.bigEndian && bitsAllocated === 8 && element.vr === 'OW';
  const bytes = swapped
    ? Uint8Array.from({ length }, (_, i) => dataSet.byteArray[element.dataOffset + ((frame * length + i) ^ 1)])
    : new Uint8Array(dataSet.byteArray.buffer, dataSet.byteArray.byteOffset + from, length);
  if (!halved) return bytes;
  // Two pixels share their colour: Y Y Cb Cr.
  const out = new Uint8Array(rows * columns * 3);
  for (let i = 0, at = 0; at < out.length; i += 4, at += 6)
    out.set([bytes[i], bytes[i + 2], bytes[i + 3], bytes[i + 1], bytes[i + 2], bytes[i + 3]], at);
  return out;
}

/** Bytes to numbers: the stored bits of each sample, with their sign. */
function toValues(
  bytes: Uint8Array,
  count: number,
  bits: { allocated: number; stored: number; signed: boolean; little: boolean },
): Int32Array {
  const out = new Int32Array(count);
  const shift = 32 - bits.stored;
  if (bits.allocated === 8) for (let i = 0; i < count; i++) out[i] = bytes[i];
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < count; i++) out[i] = view.getUint16(2 * i, bits.little);
  }
  if (bits.signed) for (let i = 0; i < count; i++) out[i] = (out[i] << shift) >> shift;
  else if (bits.stored < bits.allocated) for (let i = 0; i < count; i++) out[i] = (out[i] << shift) >>> shift;
  return out;
}

/** Planes, one after the other, to pixels. */
function fromPlanes(values: Int32Array, samples: number): Int32Array {
  const pixels = values.length / samples;
  const out = new Int32Array(values.length);
  for (let s = 0; s < samples; s++) for (let i = 0; i < pixels; i++) out[i * samples + s] = values[s * pixels + i];
  return out;
}

/**
 * Decodes a frame, colours as RGB. @param frame from 0
 * @throws NarrowsError for JPEG of more than 8 bits and for damaged data, in a sentence without any of the file's texts
 */
export async function readFrame(name: string, header: DicomHeader, frame: number, decoders: FrameDecoders): Promise<DicomFrame> {
  const { rows, columns, samples, bitsAllocated, bitsStored, signed, syntax, photometric } = header;
  const count = rows * columns * samples;
  try {
    if (syntax.packing === 'native' || syntax.packing === 'rle') {
      const width = bitsAllocated / 8;
      const bytes =
        syntax.packing === 'native' ? native(header, frame) : decodeRle(await encapsulated(header, frame), rows * columns, samples, width);
      const little = !syntax.bigEndian;
      const values = toValues(bytes, count, { allocated: bitsAllocated, stored: bitsStored, signed, little });
      const planes = syntax.packing === 'native' && header.planar && samples > 1 && photometric !== 'YBR_FULL_422';
      const ordered = planes ? fromPlanes(values, samples) : values;
      return { rows, columns, samples, values: photometric.startsWith('YBR_FULL') ? ybrToRgb(ordered) : ordered };
    }
    const source = await encapsulated(header, frame);
    const decoded =
      syntax.packing === 'jpeg'
        ? await decodeJpeg(name, source, photometric, decoders.jpeg)
        : syntax.packing === 'jpeg-lossless'
          ? await decodeLossless(source)
          : await decodeByCodec(syntax.packing, source, decoders.codec);
    const wide = decoded.bits > 8;
    if (
      decoded.width !== columns ||
      decoded.height !== rows ||
      decoded.components !== samples ||
      decoded.bytes.length < count * (wide ? 2 : 1)
    )
      throw new RangeError('another picture than the header says');
    // The codestream's own precision and sign can differ from the file's (pydicom corrects the sign, too).
    const stored = Math.max(decoded.bits, decoded.signed ? decoded.bits : Math.min(bitsStored, decoded.bits));
    const values = toValues(decoded.bytes, count, { allocated: wide ? 16 : 8, stored, signed, little: true });
    const ybr = photometric.startsWith('YBR_FULL') && syntax.packing !== 'jpeg';
    return { rows, columns, samples, values: ybr ? ybrToRgb(values) : values };
  } catch (error) {
    if (error instanceof NarrowsError) throw error;
    if (error instanceof CodecMissing)
      throw new NarrowsError(`${name} is a DICOM file of ${syntax.name} pixels, and the decoder of them could not be loaded; try again.`, {
        cause: error.cause,
      });
    throw new NarrowsError(`${name} is a DICOM file whose ${syntax.name} pixels are damaged or cut short; export it again.`);
  }
}
