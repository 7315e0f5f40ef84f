/** @file A phantom as a DICOM file: uncompressed, 12 bits, with a window. It names no patient. */

/** Value of an element: bytes of an even length. */
type Value = Uint8Array;

const text = (value: string, pad = ' '): Value => new TextEncoder().encode(value.length % 2 ? value + pad : value);
const uid = (value: string): Value => text(value, '\0');
const us = (value: number): Value => new Uint8Array([value & 255, value >> 8]);

/** An element in explicit VR little endian. */
function element(group: number, number: number, vr: string, value: Value): Uint8Array {
  const long = vr === 'OW' || vr === 'OB';
  const out = new Uint8Array((long ? 12 : 8) + value.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, group, true);
  view.setUint16(2, number, true);
  out.set(new TextEncoder().encode(vr), 4);
  if (long) view.setUint32(8, value.length, true);
  else view.setUint16(6, value.length, true);
  out.set(value, long ? 12 : 8);
  return out;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Digital X-ray image, for presentation. */
const SOP_CLASS = '1.2.840.10008.5.1.4.1.1.1.1';
/** A root that anybody may use with a number of their own (UUID form). */
const ROOT = '2.25.';

/**
 * A DICOM file of a picture. @param values [height × width], 0 black to 1 white @param number makes its UIDs: equal numbers, equal UIDs
 */
export function dicomFile(values: ArrayLike<number>, width: number, height: number, number: bigint): Uint8Array {
  const instance = `${ROOT}${number}`;
  const meta = join([
    element(2, 1, 'OB', new Uint8Array([0, 1])),
    element(2, 2, 'UI', uid(SOP_CLASS)),
    element(2, 3, 'UI', uid(instance)),
    element(2, 16, 'UI', uid('1.2.840.10008.1.2.1')),
    element(2, 18, 'UI', uid(`${ROOT}1`)),
  ]);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, meta.length, true);
  const pixels = new Uint8Array(2 * width * height);
  const view = new DataView(pixels.buffer);
  for (let i = 0; i < width * height; i++) view.setUint16(2 * i, Math.min(4095, Math.max(0, Math.round(values[i] * 4095))), true);
  const body = [
    element(8, 22, 'UI', uid(SOP_CLASS)),
    element(8, 24, 'UI', uid(instance)),
    element(8, 96, 'CS', text('DX')),
    element(8, 104, 'CS', text('FOR PRESENTATION')),
    element(16, 16, 'PN', text('')),
    element(16, 32, 'LO', text('')),
    element(24, 21, 'CS', text('CHEST')),
    element(24, 20737, 'CS', text('PA')),
    element(32, 13, 'UI', uid(`${instance}.1`)),
    element(32, 14, 'UI', uid(`${instance}.2`)),
    element(40, 2, 'US', us(1)),
    element(40, 4, 'CS', text('MONOCHROME2')),
    element(40, 16, 'US', us(height)),
    element(40, 17, 'US', us(width)),
    element(40, 256, 'US', us(16)),
    element(40, 257, 'US', us(12)),
    element(40, 258, 'US', us(11)),
    element(40, 259, 'US', us(0)),
    element(40, 4176, 'DS', text('2047.5')),
    element(40, 4177, 'DS', text('4096')),
    element(0x7fe0, 16, 'OW', pixels),
  ];
  return join([new Uint8Array(128), text('DICM'), element(2, 0, 'UL', length), meta, ...body]);
}
