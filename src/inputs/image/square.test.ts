import { describe, expect, it } from 'vitest';
import { expandToSquare, meanColour } from './square.ts';

const picture = (width: number, height: number) => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => i + 1),
});

describe('a picture widened to a square', () => {
  it("has LLaVA's colour for CLIP's mean", () => {
    expect(meanColour([0.48145466, 0.4578275, 0.40821073])).toEqual([122, 116, 104]);
  });

  it('stands in the middle, an odd pixel behind', () => {
    const wide = expandToSquare(picture(3, 1), [200, 201, 202]);
    const row = Array(3).fill([200, 201, 202]).flat();
    expect([wide.width, wide.height, ...wide.data]).toEqual([3, 3, ...row, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...row]);
    const tall = expandToSquare(picture(1, 2), [0, 0, 0]);
    expect([...tall.data]).toEqual([1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0, 0]);
  });

  it('is itself where it is square', () => {
    const square = picture(2, 2);
    expect(expandToSquare(square, [1, 2, 3])).toBe(square);
  });
});
