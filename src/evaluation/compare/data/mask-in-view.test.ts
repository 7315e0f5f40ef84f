import { expect, it } from 'vitest';
import { maskInView } from './masks.ts';

const mask = { width: 4, height: 3, data: Uint8Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1) };

it('a mask over the whole picture is itself, pixel by pixel, and twice as large every pixel four times', () => {
  const view = { left: 0, top: 0, width: 4, height: 3 };
  expect(maskInView(mask, view, [3, 4])).toEqual(mask.data);
  const large = maskInView(mask, view, [6, 8]);
  expect([...large]).toEqual(Array.from({ length: 48 }, (_, i) => mask.data[(Math.floor(i / 8) >> 1) * 4 + ((i % 8) >> 1)]));
});

it('over a part is that part; outside of the picture nothing is', () => {
  expect([...maskInView(mask, { left: 1, top: 1, width: 3, height: 2 }, [2, 3])]).toEqual([1, 0, 0, 0, 0, 1]);
  expect([...maskInView(mask, { left: -1, top: -1, width: 2, height: 2 }, [2, 2])]).toEqual([0, 0, 0, 1]);
  expect([...maskInView(mask, { left: 3, top: 2, width: 2, height: 2 }, [2, 2])]).toEqual([1, 0, 0, 0]);
});
