import { describe, expect, it } from 'vitest';
import { lz4Hadoop, lz4Raw } from './lz4.ts';

const bytes = (text: string): number[] => [...new TextEncoder().encode(text)];
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const long = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
/** A frame of Hadoop's codec: lengths, then the block. */
const frame = (plain: number, block: readonly number[]): number[] => [...long(plain), ...long(block.length), ...block];

/** "abc", a match of six from three back, then "!". */
const REPEATED = [0x32, ...bytes('abc'), 3, 0, 0x10, ...bytes('!')];
/** 300 literals: 15, then 255 and 30. */
const LONG = [0xf0, 255, 30, ...bytes('x'.repeat(300))];

describe('LZ4', () => {
  it('copies literals and matches that overlap themselves', () => {
    expect(text(lz4Raw(Uint8Array.from(REPEATED), 10))).toBe('abcabcabc!');
    expect(text(lz4Raw(Uint8Array.from(LONG), 300))).toBe('x'.repeat(300));
    // A match of 4 + 15 + 255 + 1 from one back.
    expect(text(lz4Raw(Uint8Array.from([0x1f, ...bytes('a'), 1, 0, 255, 1, 0]), 276))).toBe('a'.repeat(276));
  });

  it('takes a block that ends without literals, or holds nothing', () => {
    expect(lz4Raw(Uint8Array.from([0]), 0)).toEqual(new Uint8Array());
    expect(text(lz4Raw(Uint8Array.from([0x32, ...bytes('abc'), 3, 0, 0]), 9))).toBe('abcabcabc');
  });

  it("reads Hadoop's frames, several of them, and bare blocks under its name", () => {
    expect(text(lz4Hadoop(Uint8Array.from([...frame(10, REPEATED), ...frame(300, LONG)]), 310))).toBe(`abcabcabc!${'x'.repeat(300)}`);
    expect(text(lz4Hadoop(Uint8Array.from(REPEATED), 10))).toBe('abcabcabc!');
  });

  it.each([
    ['a match from before the beginning', [0x32, ...bytes('abc'), 9, 0, 0]],
    ['an offset of zero', [0x32, ...bytes('abc'), 0, 0, 0]],
    ['literals that are cut', [0x50, ...bytes('abc')]],
    ['an offset that is cut', [0x32, ...bytes('abc'), 3]],
    ['a length that is cut', [0xf0, 255]],
    ['too little', [0x10, ...bytes('a')]],
    ['too much', [0xf0, 0, ...bytes('x'.repeat(15))]],
  ])('refuses %s', (_, block) => {
    expect(() => lz4Raw(Uint8Array.from(block), 10)).toThrow(/LZ4 block is damaged/);
    expect(() => lz4Hadoop(Uint8Array.from(block), 10)).toThrow(/LZ4 block is damaged/);
  });
});
