/** @file Lines of equal value through a field (marching squares), joined into polylines. */

/** A point in samples of the field: x to the right, y downwards; sample centres lie on whole numbers. */
export type Point = readonly [number, number];

/**
 * Polylines along which the field (row by row, `[height, width]`) equals `level`. Closed lines repeat their first point.
 * Saddles are cut by the mean of the four corners.
 */
export function contourLines(field: ArrayLike<number>, [height, width]: readonly [number, number], level: number): Point[][] {
  const segments: [Point, Point][] = [];
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const [a, b, c, d] = [field[y * width + x], field[y * width + x + 1], field[(y + 1) * width + x + 1], field[(y + 1) * width + x]];
      const code = (a >= level ? 1 : 0) | (b >= level ? 2 : 0) | (c >= level ? 4 : 0) | (d >= level ? 8 : 0);
      if (code === 0 || code === 15) continue;
      const cross = (from: number, to: number) => (level - from) / (to - from);
      const top = (): Point => [x + cross(a, b), y];
      const right = (): Point => [x + 1, y + cross(b, c)];
      const bottom = (): Point => [x + cross(d, c), y + 1];
      const left = (): Point => [x, y + cross(a, d)];
      const full = (a + b + c + d) / 4 >= level;
      if (code === 5)
        segments.push(
          ...((full
            ? [
                [top(), right()],
                [bottom(), left()],
              ]
            : [
                [left(), top()],
                [right(), bottom()],
              ]) as [Point, Point][]),
        );
      else if (code === 10)
        segments.push(
          ...((full
            ? [
                [left(), top()],
                [right(), bottom()],
              ]
            : [
                [top(), right()],
                [bottom(), left()],
              ]) as [Point, Point][]),
        );
      else if (code === 1 || code === 14) segments.push([left(), top()]);
      else if (code === 2 || code === 13) segments.push([top(), right()]);
      else if (code === 4 || code === 11) segments.push([right(), bottom()]);
      else if (code === 8 || code === 7) segments.push([bottom(), left()]);
      else if (code === 3 || code === 12) segments.push([left(), right()]);
      else segments.push([top(), bottom()]);
    }
  }
  return join(segments);
}

const keyOf = ([x, y]: Point): string => `${x.toFixed(4)},${y.toFixed(4)}`;

function join(segments: readonly [Point, Point][]): Point[][] {
  const ends = new Map<string, number[]>();
  const used = new Uint8Array(segments.length);
  segments.forEach((segment, i) => {
    // A level that a sample meets exactly gives segments without length; they would end a line before its time.
    if (keyOf(segment[0]) === keyOf(segment[1])) {
      used[i] = 1;
      return;
    }
    for (const end of segment) {
      const key = keyOf(end);
      ends.set(key, [...(ends.get(key) ?? []), i]);
    }
  });
  const extend = (line: Point[]): void => {
    for (;;) {
      const tail = line.at(-1) as Point;
      const next = (ends.get(keyOf(tail)) ?? []).find(i => !used[i]);
      if (next === undefined) return;
      used[next] = 1;
      const [p, q] = segments[next];
      line.push(keyOf(p) === keyOf(tail) ? q : p);
    }
  };
  const lines: Point[][] = [];
  segments.forEach(([p, q], i) => {
    if (used[i]) return;
    used[i] = 1;
    const line: Point[] = [p, q];
    extend(line);
    line.reverse();
    extend(line);
    lines.push(line);
  });
  return lines;
}
