/** @file Boxes drawn by hand against a result's map of the image: the two pointing games, for any backend. */
import type { Attribution } from '../attribution/result.ts';
import { fineMap, scoreInside } from '../evaluation/metrics/placed-map.ts';
import type { BoxScore } from './facts.ts';
import { StudioError } from './protocol.ts';
import type { Box } from './requests.ts';

/** @param boxes in pixels of the picture @throws StudioError for a result without a map of the image, or boxes that miss the model's view */
export function boxScore({ image }: Pick<Attribution, 'image'>, boxes: readonly Box[]): BoxScore {
  if (!image) throw new StudioError('usage', 'This result has no map of the image, so nothing of it can lie inside a box.');
  const { pixels, view } = image;
  const map = pixels ? { ...pixels, view } : fineMap(image);
  const { energy, pointing, area } = scoreInside(
    map,
    boxes.map(({ left, top, width, height }) => [left, top, width, height]),
  );
  if (area === 0) throw new StudioError('input', 'The box lies outside of what the model sees of the picture; draw it inside the frame.');
  if (Number.isFinite(energy)) return { energy, pointing, area };
  return { energy: null, pointing, area, note: 'The map is nowhere positive, so no share of it lies inside the box.' };
}
