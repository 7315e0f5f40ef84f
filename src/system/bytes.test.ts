import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { base64, latin1 } from './bytes.ts';
import { createSha256, digestHex, hex, sha256Bytes, sha256Hex } from './sha256.ts';

it('writes bytes as Node does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      expect(latin1(bytes)).toBe(Buffer.from(bytes).toString('latin1'));
      expect(base64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    }),
  );
  const long = Uint8Array.from({ length: 100_001 }, (_, i) => (i * 7919) & 255);
  expect(base64(long)).toBe(Buffer.from(long).toString('base64'));
});

it("hashes as Node's SHA-256, in one piece or many", async () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('', 'plain', 'ключ "ö"', '😀 \u0000')), { maxLength: 6 }),
      async parts => {
        const native = createHash('sha256');
        for (const part of parts) native.update(part);
        const expected = native.digest('hex');
        expect(sha256Hex(...parts)).toBe(expected);
        expect(hex(sha256Bytes(...parts))).toBe(expected);
        expect(await digestHex(...parts)).toBe(expected);
        const pieces = createSha256();
        for (const part of parts) pieces.update(part);
        expect(hex(pieces.digest())).toBe(expected);
      },
    ),
  );
});

it('hashes without Web Crypto too', async () => {
  vi.stubGlobal('crypto', undefined);
  try {
    expect(await digestHex('ab', Uint8Array.of(99))).toBe(sha256Hex('abc'));
  } finally {
    vi.unstubAllGlobals();
  }
});
