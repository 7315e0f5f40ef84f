/** @file Labels of points in a plane, placed so that none covers another label or a point. */

/** A point to be labelled; `width` and `height` are its label's. */
export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A placed label: its box, and whether it lies so far off that a line should lead to it. */
export interface PlacedLabel {
  readonly left: number;
  readonly top: number;
  readonly leader: boolean;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const overlaps = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Directions tried, right first: where a reader looks. */
const ANGLES = [0, Math.PI, -Math.PI / 2, Math.PI / 2, -0.6, 0.6, Math.PI + 0.6, Math.PI - 0.6, -1.1, 1.1, Math.PI + 1.1, Math.PI - 1.1];
const DISTANCES = [7, 14, 24, 36, 50, 66, 84, 104, 126, 150];

/**
 * Greedy, in the order given (important points first), nearest free place first. A point for which there is no free place gets none.
 * @param bounds labels stay inside @param radius of the points' marks
 */
export function placeLabels(points: readonly LabelledPoint[], bounds: Box, radius = 6): (PlacedLabel | undefined)[] {
  const marks = points.map(({ x, y }): Box => ({ left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }));
  const taken: Box[] = [];
  return points.map(({ x, y, width, height }) => {
    for (const distance of DISTANCES)
      for (const angle of ANGLES) {
        // The label's nearest edge or corner lies at the distance.
        const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
        const left = x + dx * (radius + distance - 3) + (Math.abs(dx) < 0.1 ? -width / 2 : dx > 0 ? 0 : -width);
        const top = y + dy * (radius + distance - 3) + (Math.abs(dy) < 0.1 ? -height / 2 : dy > 0 ? 0 : -height);
        const box = { left, top, right: left + width, bottom: top + height };
        const inside = left >= bounds.left && box.right <= bounds.right && top >= bounds.top && box.bottom <= bounds.bottom;
        if (!inside || taken.some(other => overlaps(box, other)) || marks.some(other => overlaps(box, other))) continue;
        taken.push(box);
        return { left, top, leader: distance > 14 };
      }
    return undefined;
  });
}
