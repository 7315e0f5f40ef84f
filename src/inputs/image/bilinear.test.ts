/** @file Enlarging against PyTorch's map, ONNX Runtime's bicubic and values worked out by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resampleBicubic, upsampleBilinear } from './bilinear.ts';

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata/processing.json'), 'utf8')) as {
  bilinear: { saliency: number[]; map: number[] };
  bicubic: { h: number; w: number; H: number; W: number; channels: number; input: number[]; output: number[] }[];
};
const edge = fc.integer({ min: 1, max: 12 });

describe('bilinear', () => {
  test('by hand: 1x2 to 1x4 puts weights 1, 3/4, 1/4, 0 on the first value', () => {
    expect([...upsampleBilinear(Float32Array.of(0, 8), [1, 2], [1, 4])]).toEqual([0, 2, 6, 8]);
    expect([...upsampleBilinear(Float32Array.of(0, 8, 16, 24), [2, 2], [4, 4])].slice(4, 8)).toEqual([4, 6, 10, 12]);
  });

  test("PyTorch's map of the official M2IB code", () => {
    const map = upsampleBilinear(Float32Array.from(golden.bilinear.saliency), [4, 4], [224, 224]);
    const [low, high] = [Math.min(...map), Math.max(...map)];
    golden.bilinear.map.forEach((value, i) => {
      const at = Math.floor(i / 28) * 8 * 224 + (i % 28) * 8;
      expect(Math.abs((map[at] - low) / (high - low) - value)).toBeLessThan(3e-7);
    });
  });

  test('same size is identity, a constant stays', () => {
    fc.assert(
      fc.property(edge, edge, edge, edge, (h, w, H, W) => {
        const data = Float32Array.from({ length: h * w }, (_, i) => Math.sin(i));
        expect(upsampleBilinear(data, [h, w], [h, w])).toEqual(data);
        const flat = upsampleBilinear(new Float32Array(h * w).fill(0.7), [h, w], [H, W]);
        for (const v of flat) expect(v).toBeCloseTo(0.7, 6);
      }),
    );
  });
});

describe('bicubic', () => {
  test('by hand: halfway between taps the weights are -3/32, 19/32, 19/32, -3/32', () => {
    // 4 to 2: position 0 reads 0.5 (taps -1 clamped, 0, 1, 2), position 1 reads 2.5.
    const [a, b] = resampleBicubic(Float32Array.of(32, 0, 0, 64), 1, 4, 1, 1, 2);
    expect(a).toBe((32 * (19 - 3)) / 32);
    expect(b).toBe((64 * (19 - 3)) / 32);
  });

  test.each(golden.bicubic)('ONNX Runtime: $h x $w x $channels to $H x $W', ({ h, w, H, W, channels, input, output }) => {
    const out = resampleBicubic(Float32Array.from(input), h, w, channels, H, W);
    expect(out.length).toBe(output.length);
    // Its weights are float32 and cancel: exact arithmetic departs from its values by as much (2.8e-6).
    output.forEach((v, i) => void expect(Math.abs(out[i] - v)).toBeLessThan(4e-6));
  });

  test('same size is identity', () => {
    const data = Float32Array.from({ length: 5 * 3 * 4 }, (_, i) => Math.cos(i));
    expect(resampleBicubic(data, 5, 3, 4, 5, 3)).toEqual(data);
  });
});
