import { describe, expect, it } from 'vitest';
import { rowBytes } from './row-bytes.ts';

/**
 * What a further row of a forward pass took (peak of anonymous memory on one thread, ONNX Runtime 1.30, between a few rows and six to eight times as many;
 * pixels, at 16 bytes a value where a row has its own, are taken off).
 */
const MEASURED = [
  { of: "the scenes' small LLaVA", tokens: 165, width: 192, heads: 6, blocks: 4, megabytes: 2.0 },
  { of: "Qwen2-0.5B's shape, three blocks", tokens: 265, width: 896, heads: 14, blocks: 3, megabytes: 19 },
  { of: 'the same, a longer question', tokens: 507, width: 896, heads: 14, blocks: 3, megabytes: 57 },
  { of: "B/32's tower, three blocks", tokens: 50, width: 768, heads: 12, blocks: 3, megabytes: 2.2 },
  { of: 'the same at 736 pixels', tokens: 530, width: 768, heads: 12, blocks: 3, megabytes: 36 },
];

describe('rowBytes', () => {
  it.each(MEASURED)('is above what a forward pass of $of took, at most twice', ({ tokens, width, heads, blocks, megabytes }) => {
    const estimate = rowBytes({ width, heads }, tokens, blocks, false) / 1e6;
    expect(estimate).toBeGreaterThan(megabytes);
    expect(estimate).toBeLessThan(2.1 * megabytes);
  });

  it('counts every block of a backward pass', () => {
    expect(rowBytes({ width: 896, heads: 14 }, 272, 6, true)).toBe(6 * rowBytes({ width: 896, heads: 14 }, 272, 6, false));
    expect(rowBytes({ width: 896, heads: 14 }, 272, 0, true)).toBe(rowBytes({ width: 896, heads: 14 }, 272, 6, false));
  });
});
