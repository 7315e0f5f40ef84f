/** @file What every estimator of a game gives back. */

/** One value per player. */
export interface PlayerValues {
  readonly values: Float64Array;
  /** Estimated standard error per player; 0 where all coalitions were listed. */
  readonly standardError?: Float64Array;
  /** Sum of the values minus value(all) − value(none), where the method promises (or would like) them to be equal. */
  readonly convergenceDelta?: number;
  /** Coalitions asked for, repeated ones included. */
  readonly samples: number;
}

/** Median standard error and the standard deviation of the values over players: an estimate is noisy where the first passes half the second. */
export function noise(result: PlayerValues): { readonly error: number; readonly spread: number; readonly noisy: boolean } | undefined {
  const { values, standardError } = result;
  if (!standardError || values.length < 2) return undefined;
  const ascending = Float64Array.from(standardError).sort();
  const error = ascending[ascending.length >> 1];
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return { error, spread, noisy: error > spread / 2 };
}

/** Sum in double precision. */
export const total = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
};
