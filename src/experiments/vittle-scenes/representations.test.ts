import { expect, it } from 'vitest';
import { MODALITY } from '../../models/llava/placement.ts';
import { floats } from '../../tensor/tensor.ts';
import type { PackedRow } from '../../tuning/llava/packed-exam.ts';
import { compared, RepresentationCollector } from './representations.ts';

it('pools a picture once, and of each question its own words with those in front of the picture, without the answer', () => {
  const { image, text } = MODALITY;
  // <s>, a patch, then two questions of one word and an answer each.
  const row: PackedRow = {
    ...{ scene: 1, items: [5, 8], left: 0 },
    ids: [1, 4, 10, 2, 11, 3],
    labels: [-100, -100, -100, 2, -100, 3],
    turns: [0, 0, 1, 1, 2, 2],
  };
  const modality = Int32Array.of(text, image, text, text, text, text);
  // A token's vector is the axis of its place.
  const hidden = floats(
    [1, 6, 6],
    Float32Array.from({ length: 36 }, (_, i) => Number(i % 7 === 0)),
  );
  const of = (origin?: readonly number[]) => {
    const collector = new RepresentationCollector(origin);
    collector.take(hidden, [row], modality);
    return collector.result;
  };
  const half = Math.fround(Math.SQRT1_2);
  const { visual, text: own } = of();
  expect([...visual[1]!]).toEqual([0, 1, 0, 0, 0, 0]);
  expect(visual[0]).toBeUndefined();
  // Every fourth item: 8, not 5; <s> and its own word.
  expect(Object.keys(own)).toEqual(['8']);
  expect([...own[8]!].map(Math.fround)).toEqual([half, 0, 0, 0, half, 0]);
  // By the number in the clean exam: item 5 is its twelfth.
  const shifted = of([0, 0, 0, 0, 0, 12, 0, 0, 3]).text;
  expect(Object.keys(shifted)).toEqual(['12']);
  expect([...shifted[12]!].map(Math.fround)).toEqual([half, 0, half, 0, 0, 0]);
});

it('knows whether an exam asks a question that is compared: every fourth of the clean exam', () => {
  expect([compared(0), compared(1), compared(2, [3, 5]), compared(2, [3, 8])]).toEqual([false, true, false, true]);
});
