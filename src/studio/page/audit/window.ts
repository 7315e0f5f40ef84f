/** @file Which rows of a long list are built: those in sight and a few around them. */

/** Height of a row in pixels; the style holds the same number. */
export const ROW_HEIGHT = 52;
/** Rows above and below what is in sight, so that scrolling meets no gaps. */
const AROUND = 8;

/** First row and one past the last that are built. @param top pixels scrolled; @param height pixels in sight */
export function windowOf(top: number, height: number, total: number): readonly [from: number, to: number] {
  // A filter makes the list shorter than what was scrolled: then its end is in sight.
  const start = Math.max(0, Math.min(top, total * ROW_HEIGHT - height));
  const first = Math.max(0, Math.floor(start / ROW_HEIGHT) - AROUND);
  return [first, Math.min(total, Math.ceil((start + height) / ROW_HEIGHT) + AROUND)];
}

/** Where to scroll so that a row is in sight; the same place where it is. */
export function scrollFor(row: number, top: number, height: number): number {
  const [start, end] = [row * ROW_HEIGHT, (row + 1) * ROW_HEIGHT];
  return start < top ? start : end > top + height ? end - height : top;
}
