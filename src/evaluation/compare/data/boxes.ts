/** @file Boxes as lists give them, and checks of them. */
import { NarrowsError } from '../../../system/errors.ts';
import { parsePlain } from '../../../system/json-depth.ts';

/** A size in pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** [left, top, width, height] out of a list of four numbers or an object with these names. @throws NarrowsError that begins with `where` */
export function readBox(value: unknown, where: string): number[] {
  const given = value as { left?: unknown; top?: unknown; width?: unknown; height?: unknown } | null;
  const list = Array.isArray(value) ? value : [given?.left, given?.top, given?.width, given?.height];
  if (list.length !== 4 || !list.every(v => typeof v === 'number' && Number.isFinite(v)))
    throw new NarrowsError(`${where}: a box must be four numbers, left, top, width and height, got ${JSON.stringify(value)}.`);
  if (!(list[2] > 0 && list[3] > 0))
    throw new NarrowsError(`${where}: a box needs a width and a height above 0, got ${JSON.stringify(value)}.`);
  return list;
}

/** A value of a CSV cell: a list in JSON, a text, or nothing; values of JSON stay as they are. */
export function cellValue(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? undefined;
  if (value.trim() === '') return undefined;
  if (!/^[[{]/.test(value.trimStart())) return value;
  try {
    return parsePlain(value);
  } catch {
    return value;
  }
}

/**
 * The boxes that a line of a list gives as `box` or `boxes` ([left, top, width, height] in pixels); undefined where it gives none.
 * @throws NarrowsError that begins with `where`, for both at once or for one that is no box
 */
export function listedBoxes(further: Readonly<Record<string, unknown>>, where: string): number[][] | undefined {
  const named = new Map(Object.entries(further).map(([key, value]) => [key.trim(), cellValue(value)]));
  const [box, boxes] = [named.get('box'), named.get('boxes')];
  if (box !== undefined && boxes !== undefined)
    throw new NarrowsError(`${where}: give only one of box and boxes; they say the same thing.`);
  if (boxes !== undefined && (!Array.isArray(boxes) || boxes.length === 0))
    throw new NarrowsError(`${where}: boxes must be a list of at least one box.`);
  return (box === undefined ? (boxes as unknown[] | undefined) : [box])?.map(each => readBox(each, where));
}

/** Rounding in annotation tools leaves boxes a little over the edge. */
const SLACK = 1;

/** @throws NarrowsError where a box reaches out of the picture */
export function checkInside([left, top, width, height]: readonly number[], size: PixelSize, where: string): void {
  const inside = left >= -SLACK && top >= -SLACK && left + width <= size.width + SLACK && top + height <= size.height + SLACK;
  if (!inside)
    throw new NarrowsError(
      `${where}: the box [${[left, top, width, height].join(', ')}] (left, top, width, height) reaches out of the picture of ${size.width} x ${size.height} pixels.`,
    );
}
