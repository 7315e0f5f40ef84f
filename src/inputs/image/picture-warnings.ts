/** @file What of a picture makes a map of it mean little: how it was read, and a picture of one colour. No Node imports. */
import type { FloatTensor } from '../../tensor/tensor.ts';
import { type ImageReading, readingNotes } from './image-reading.ts';
import type { RgbImage } from './rgb-image.ts';

/** True where every channel of [3, H, W] holds one value. */
export function isConstant({ data, shape }: FloatTensor): boolean {
  const [channels] = shape;
  const plane = data.length / channels;
  for (let c = 0; c < channels; c++) {
    const first = data[c * plane];
    for (let i = c * plane + 1; i < (c + 1) * plane; i++) if (data[i] !== first) return false;
  }
  return true;
}

/**
 * The warnings of a picture and of what a model is fed of it, in sentences for its result.
 * @param pixelValues [3, H, W] after processing
 * @param what how the sentences begin
 */
export function pictureWarnings(image: RgbImage, pixelValues: FloatTensor, what = 'The picture'): string[] {
  const warnings = (image.reading?.warnings ?? []).map(({ message }) => `${what}: ${message}`);
  if (isConstant(pixelValues))
    warnings.push(`${what}: all that the model sees of it has one colour, so a map says nothing about it, only about the model.`);
  return warnings;
}

/** What of a reading stands in a result's provenance: the decisions, not the warnings. */
export type ReadingRecord = Omit<ImageReading, 'warnings'>;

/** Copies a reading for a result. */
export function readingRecord({ reading }: RgbImage): { reading?: ReadingRecord } {
  if (!reading) return {};
  const { warnings: _, ...record } = reading;
  return { reading: record };
}

/** The decisions of a result's picture in words; none where there was nothing to decide. */
export const recordNotes = (record: ReadingRecord | undefined): string[] => (record ? readingNotes({ ...record, warnings: [] }) : []);
