/** @file LLaVA's own summary of reviews (`summarize_gpt_review.py`): failures stay in both means as -1, and means are rounded before they are divided. */

/** A line of that table. */
export interface OfficialSummary {
  readonly relative: number;
  /** Means of the marks times 10. */
  readonly reference: number;
  readonly model: number;
}

/** Marks of Assistant 1 and 2; -1 and -1 for a review that its parser cannot read. */
export interface OfficialRow {
  readonly category: string;
  readonly tuple: readonly [first: number, second: number];
}

/** A double has no more digits than this behind the point, where it is no smaller than 1e-3. */
const ALL_DIGITS = 70;

/** Python's `round`: the nearest decimal of the exact value, of two equally near the even one (JavaScript takes the larger). @param digits from 1 on */
export function pythonRound(value: number, digits: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) return value;
  const exact = Math.abs(value).toFixed(ALL_DIGITS);
  const at = exact.indexOf('.') + 1 + digits;
  const tie = /^50*$/.test(exact.slice(at));
  const last = Number(exact[at - 1]);
  const rounded = tie && last % 2 === 0 ? Number(exact.slice(0, at)) : Number(Math.abs(value).toFixed(digits));
  return value < 0 ? -rounded : rounded;
}

/** One after the other, as numpy adds along the first axis: sums that are better would differ in the last digit. */
const plainMean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function summaryOf(rows: readonly OfficialRow[]): OfficialSummary {
  const [x, y] = [0, 1].map(side => pythonRound(plainMean(rows.map(row => row.tuple[side])), 3));
  return { relative: pythonRound((y / x) * 100, 1), reference: pythonRound(x * 10, 1), model: pythonRound(y * 10, 1) };
}

/** The table: `all`, then each category by name. Assistant 1 counts as the reference. */
export function officialSummary(rows: readonly OfficialRow[]): Record<string, OfficialSummary> {
  const categories = [...new Set(rows.map(row => row.category))].sort();
  return {
    all: summaryOf(rows),
    ...Object.fromEntries(categories.map(name => [name, summaryOf(rows.filter(row => row.category === name))])),
  };
}
