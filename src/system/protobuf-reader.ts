/** @file A small reader of Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding), for SentencePiece's models. */
import { NarrowsError } from './errors.ts';

/** One field of a message: its number and its raw value (a varint, or the bytes of a string, a nested message or a fixed number). */
export interface ProtoField {
  readonly number: number;
  /** Varints only. Negative values come as two's complement, as they are written. */
  readonly varint?: bigint;
  /** Strings, bytes and nested messages; 4 or 8 bytes for fixed numbers. */
  readonly bytes?: Uint8Array;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The fields of one message, in the order of the file.
 * @param source named in errors
 * @throws NarrowsError where the bytes end inside of a field or are no message at all
 */
export function* protoFields(bytes: Uint8Array, source: string): Generator<ProtoField> {
  const broken = (at: number): NarrowsError =>
    new NarrowsError(`${source} is damaged at byte ${at} (it is no protocol buffer, or cut off); get the file again.`);
  let at = 0;
  const varint = (): bigint => {
    const start = at;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw broken(start);
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw broken(start);
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw broken(at);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const start = at;
    const key = varint();
    const number = Number(key >> 3n);
    const type = Number(key & 7n);
    if (number === 0) throw broken(start);
    if (type === 0) yield { number, varint: varint() };
    else if (type === 1) yield { number, bytes: take(8) };
    else if (type === 2) yield { number, bytes: take(Number(varint())) };
    else if (type === 5) yield { number, bytes: take(4) };
    else throw broken(start);
  }
}

/** A field's int32 or enum value. */
export const protoInt = (field: ProtoField): number => Number(BigInt.asIntN(32, field.varint ?? 0n));
/** A field's bool value. */
export const protoBool = (field: ProtoField): boolean => (field.varint ?? 0n) !== 0n;
/** A field's text. */
export const protoText = (field: ProtoField): string => decoder.decode(field.bytes);
/** A field's float value; NaN where it is no float. */
export const protoFloat = ({ bytes }: ProtoField): number =>
  bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true) : Number.NaN;
