/** @file Coalitions that sampling metrics draw: keyed by the sample only, so that every method is judged on the same. */
import { RandomStream } from '../../tensor/random.ts';

/** M coalitions of n players, each player there with probability p. */
export function bernoulliCoalitions(count: number, players: number, p: number, key: number, stream: string): Uint8Array {
  const reader = new RandomStream(key, stream).reader(0, 0);
  return Uint8Array.from({ length: count * players }, () => (reader.uniform() < p ? 1 : 0));
}

/** M subsets of exactly `size` of n players, 1 = in the subset. */
export function subsets(count: number, players: number, size: number, key: number, stream: string): Uint8Array {
  const out = new Uint8Array(count * players);
  const random = new RandomStream(key, stream);
  for (let m = 0; m < count; m++) {
    const reader = random.reader(0, m);
    const order = Array.from({ length: players }, (_, i) => i);
    for (let k = 0; k < size; k++) {
      const other = k + reader.integer(players - k);
      [order[k], order[other]] = [order[other], order[k]];
      out[m * players + order[k]] = 1;
    }
  }
  return out;
}

/** Sum of the map over each coalition. */
export const sumsOver = (map: ArrayLike<number>, coalitions: Uint8Array): Float64Array => {
  const n = map.length;
  return Float64Array.from({ length: coalitions.length / n }, (_, m) => {
    let sum = 0;
    for (let i = 0; i < n; i++) if (coalitions[m * n + i]) sum += map[i];
    return sum;
  });
};

/** Every player that is there is not, and the other way round. */
export const complement = (coalitions: Uint8Array): Uint8Array => coalitions.map(v => 1 - v);
