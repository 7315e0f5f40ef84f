import { describe, expect, it } from 'vitest';
import { rowBytes } from './row-bytes.ts';

/** What a further row of a forward pass took, by `bench/evidence/forward-memory.ts` (ONNX Runtime 1.30). */
const MEASURED = [
  { of: "the scenes' small LLaVA", tokens: 165, width: 192, heads: 6, blocks: 4, megabytes: 2.3 },
  { of: "Qwen2-0.5B's shape, three blocks", tokens: 265, width: 896, heads: 14, blocks: 3, megabytes: 20.5 },
  { of: 'the same, a longer question', tokens: 507, width: 896, heads: 14, blocks: 3, megabytes: 60 },
  { of: "B/32's tower, three blocks", tokens: 50, width: 768, heads: 12, blocks: 3, megabytes: 2.0 },
  { of: 'the same at 736 pixels', tokens: 530, width: 768, heads: 12, blocks: 3, megabytes: 37.6 },
];

describe('rowBytes', () => {
  it.each(MEASURED)('is above what a forward pass of $of took, at most twice', ({ tokens, width, heads, blocks, megabytes }) => {
    const estimate = rowBytes({ width, heads }, tokens, blocks, false) / 1e6;
    expect(estimate).toBeGreaterThan(megabytes);
    expect(estimate).toBeLessThan(2 * megabytes);
  });

  it('counts every block of a backward pass', () => {
    expect(rowBytes({ width: 896, heads: 14 }, 272, 6, true)).toBe(6 * rowBytes({ width: 896, heads: 14 }, 272, 6, false));
    expect(rowBytes({ width: 896, heads: 14 }, 272, 0, true)).toBe(rowBytes({ width: 896, heads: 14 }, 272, 6, false));
  });
});
