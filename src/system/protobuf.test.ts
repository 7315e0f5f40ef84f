import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtoWriter } from './protobuf.ts';

const hex = (writer: ProtoWriter) => Buffer.from(writer.finish()).toString('hex');

/** Reads one varint; returns [value, next position]. */
function readVarint(bytes: Uint8Array, at: number): [bigint, number] {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

describe('ProtoWriter', () => {
  // The examples of https://protobuf.dev/programming-guides/encoding.
  it('writes the guide’s examples', () => {
    expect(hex(new ProtoWriter().varint(1, 150))).toBe('089601');
    expect(hex(new ProtoWriter().string(2, 'testing'))).toBe('120774657374696e67');
    expect(hex(new ProtoWriter().message(3, w => w.varint(1, 150)))).toBe('1a03089601');
    expect(hex(new ProtoWriter().packedVarints(6, [3, 270, 86942]))).toBe('3206038e029ea705');
    expect(hex(new ProtoWriter().varint(1, -2))).toBe('08feffffffffffffffff01');
  });

  it('writes fixed-width fields little-endian and skips empty packed lists', () => {
    expect(hex(new ProtoWriter().float(1, 1.5).double(2, -2))).toBe('0d0000c03f' + '1100000000000000c0');
    expect(hex(new ProtoWriter().packedFloats(7, [1, 2]))).toBe('3a080000803f00000040');
    expect(new ProtoWriter().packedFloats(7, []).packedVarints(8, []).finish().length).toBe(0);
  });

  it('round-trips any 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), value => {
        expect(readVarint(new ProtoWriter().varint(1, value).finish(), 1)[0]).toBe(BigInt.asUintN(64, value));
      }),
    );
    for (const value of [2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, -1]) {
      expect(readVarint(new ProtoWriter().varint(1, value).finish(), 1)[0]).toBe(BigInt.asUintN(64, BigInt(value)));
    }
    expect(() => new ProtoWriter().varint(1, 0.5)).toThrow(RangeError);
  });

  it('gives the same bytes whether a payload is copied or referenced, at any nesting', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 12 }), fc.integer({ min: 0, max: 3 }), (sizes, depth) => {
        const payloads = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
        const fill = (writer: ProtoWriter): void => {
          for (const payload of payloads) writer.bytes(1, payload).varint(2, payload.length);
        };
        let writer = new ProtoWriter();
        fill(writer);
        for (let i = 0; i < depth; i++) writer = new ProtoWriter().message(5, writer);
        let bytes = writer.finish();
        expect(bytes.length).toBe(writer.size);
        for (let i = 0; i < depth; i++) {
          const [length, at] = readVarint(bytes, 1);
          expect(Number(length)).toBe(bytes.length - at);
          bytes = bytes.subarray(at);
        }
        let at = 0;
        for (const payload of payloads) {
          const [length, from] = readVarint(bytes, at + 1);
          expect(Number(length)).toBe(payload.length);
          expect(Buffer.compare(bytes.subarray(from, from + payload.length), payload)).toBe(0);
          const [again, next] = readVarint(bytes, from + payload.length + 1);
          expect(Number(again)).toBe(payload.length);
          at = next;
        }
        expect(at).toBe(bytes.length);
      }),
    );
  });

  it('takes many fields and large payloads without copying them over and over', () => {
    const payload = new Uint8Array(1 << 20).fill(7);
    const writer = new ProtoWriter();
    for (let i = 0; i < 10; i++) writer.message(1, inner => inner.bytes(9, payload).string(8, `tensor ${i}`));
    for (let i = 0; i < 50_000; i++) writer.message(2, inner => inner.string(1, 'name').varint(2, i));
    const bytes = writer.finish();
    expect(bytes.length).toBe(writer.size);
    expect(bytes.length).toBeGreaterThan(10 << 20);
  });
});
