/**
 * @file Shapley and Banzhaf values from the values of all 2^n coalitions. Rows are as `allCoalitions` lists them: player 0 is the most
 * significant bit.
 */
import { bernoulliWeights, bitCount } from '../coalitions.ts';

/** Shapley values: Σ_S |S|!(n−|S|−1)!/n! · (v(S∪i) − v(S)). @param values [2^n] */
export function exactShapley(values: Float64Array, n: number): Float64Array {
  const weights = new Float64Array(n);
  // s!(n−s−1)!/n! = 1/(n·C(n−1, s))
  let choose = 1;
  for (let s = 0; s < n; s++) {
    weights[s] = 1 / (n * choose);
    choose = (choose * (n - 1 - s)) / (s + 1);
  }
  return marginals(values, n, s => weights[bitCount(s)]);
}

/** Banzhaf values where every other player comes with probability p: E[v(S∪i) − v(S)]. @param values [2^n] */
export function exactBanzhaf(values: Float64Array, n: number, p = 0.5): Float64Array {
  const weights = bernoulliWeights(n, p);
  // The weight of S without i counts i's absence too, with 1 − p.
  return marginals(values, n, s => weights[s] / (1 - p));
}

/** Second-order Banzhaf interactions, E[v(S∪ij) − v(S∪i) − v(S∪j) + v(S)]: [n, n], symmetric, zero diagonal. */
export function exactBanzhafPairs(values: Float64Array, n: number, p = 0.5): Float64Array {
  const weights = bernoulliWeights(n, p);
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const [a, b] = [1 << (n - 1 - i), 1 << (n - 1 - j)];
      let sum = 0;
      for (let s = 0; s < values.length; s++)
        if (!(s & a) && !(s & b)) sum += weights[s] * (values[s | a | b] - values[s | a] - values[s | b] + values[s]);
      out[i * n + j] = sum / (1 - p) ** 2;
      out[j * n + i] = out[i * n + j];
    }
  return out;
}

function marginals(values: Float64Array, n: number, weight: (without: number) => number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    const bit = 1 << (n - 1 - i);
    let sum = 0;
    for (let s = 0; s < values.length; s++) if (!(s & bit)) sum += weight(s) * (values[s | bit] - values[s]);
    return sum;
  });
}
