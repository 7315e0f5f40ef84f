import { describe, expect, it } from 'vitest';
import { keptFrames } from './kept-frames.ts';
import type { FrameEvent } from './protocol.ts';

const frame = (modality: 'image' | 'text', step: number): FrameEvent => ({
  ...{ kind: 'frame', method: 'm2ib', modality, seed: 0, step, steps: 9, fit: 0.5, compression: 1 },
  tokens: Float32Array.of(step, 1, 2, 3),
});
const all = [...Array.from({ length: 9 }, (_, i) => frame('image', i + 1)), ...Array.from({ length: 9 }, (_, i) => frame('text', i + 1))];
const steps = (list: readonly FrameEvent[], modality: string) => list.filter(f => f.modality === modality).map(f => f.step);

describe('keptFrames', () => {
  it('are marked, and all there where they are small', () => {
    const kept = keptFrames(all);
    expect(kept.map(({ kept: mark, ...rest }) => [mark, rest])).toEqual(all.map(each => [true, each]));
  });

  it('are thinned until they fit; the first and the last of each tower stay', () => {
    const kept = keptFrames(all, 16 * 6);
    expect([steps(kept, 'image'), steps(kept, 'text')]).toEqual([
      [1, 5, 9],
      [1, 5, 9],
    ]);
    expect(steps(keptFrames(all, 0), 'image')).toEqual([1, 9]);
  });
});
