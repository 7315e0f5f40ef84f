/**
 * @file KernelSHAP (Lundberg and Lee, NeurIPS 2017): Shapley values as the constrained least squares solution under the Shapley kernel.
 * Coalitions are drawn by the kernel in pairs with their complements (Covert and Lee, AISTATS 2021), or listed where they are few.
 */
import { RandomStream } from '../../../tensor/random.ts';
import { endsOf, type Game } from '../../game.ts';
import { allCoalitions, bitCount } from '../coalitions.ts';
import { invert } from './least-squares.ts';
import { type PlayerValues, total } from './player-values.ts';

/** How many coalitions may be asked for. */
export interface KernelShapOptions {
  /** Coalitions; all are listed where there are no more. */
  readonly samples: number;
  readonly seed: number;
}

/** The Shapley kernel's weight of one coalition of size s: (n − 1) / (C(n, s)·s·(n − s)). */
export function shapleyKernel(n: number, s: number): number {
  let choose = 1;
  for (let k = 0; k < s; k++) choose = (choose * (n - k)) / (k + 1);
  return (n - 1) / (choose * s * (n - s));
}

/** `convergenceDelta` is what rounding leaves of the constraint that values add up to value(all) − value(none). */
export async function kernelShap(game: Game, options: KernelShapOptions): Promise<PlayerValues> {
  const n = game.players;
  const { full, empty } = await endsOf(game);
  const listed = n <= 24 && 2 ** n <= options.samples;
  if (n === 1) return { values: Float64Array.of(full - empty), standardError: new Float64Array(1), convergenceDelta: 0, samples: 2 };
  const coalitions = listed ? allCoalitions(n).slice(n, -n) : drawByKernel(options, n);
  const scores = await game.values(coalitions);
  const rows = scores.length;
  // Drawn by the kernel, coalitions weigh the same; listed, they weigh what the kernel says.
  const weights = Float64Array.from({ length: rows }, (_, m) => (listed ? shapleyKernel(n, bitCount(m + 1)) : 1 / rows));
  const gram = new Float64Array(n * n);
  const moment = new Float64Array(n);
  for (let m = 0; m < rows; m++)
    for (let i = 0; i < n; i++) {
      if (!coalitions[m * n + i]) continue;
      moment[i] += weights[m] * (scores[m] - empty);
      for (let j = 0; j < n; j++) if (coalitions[m * n + j]) gram[i * n + j] += weights[m];
    }
  const inverse = invert(gram, n, rows);
  // Minimise under 1ᵀφ = full − empty: φ = A⁻¹(b − 1·λ), which eliminates the constraint for all players alike.
  const ones = Float64Array.from({ length: n }, (_, i) => total(inverse.subarray(i * n, (i + 1) * n)));
  const free = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += inverse[i * n + j] * moment[j];
    return sum;
  });
  const lambda = (total(free) - (full - empty)) / total(ones);
  const values = free.map((v, i) => v - ones[i] * lambda);
  const standardError = listed ? new Float64Array(n) : errors({ coalitions, scores, empty, values, inverse, ones, n });
  return { values, standardError, convergenceDelta: total(values) - (full - empty), samples: rows + 2 };
}

/** Pairs of complements; sizes by the kernel's mass (n − 1)/(s(n − s)), members evenly. @returns [M, n] */
function drawByKernel({ samples, seed }: KernelShapOptions, n: number): Uint8Array {
  const reader = new RandomStream(seed, 'kernel-shap').reader(0, 0);
  const mass = Array.from({ length: n - 1 }, (_, s) => 1 / ((s + 1) * (n - s - 1)));
  const all = total(mass);
  const players = Array.from({ length: n }, (_, i) => i);
  const pairs = Math.max(2, Math.floor((samples - 2) / 2));
  const out = new Uint8Array(2 * pairs * n);
  for (let k = 0; k < pairs; k++) {
    let left = reader.uniform(0, all);
    let size = 1;
    while (size < n - 1 && left > mass[size - 1]) left -= mass[size++ - 1];
    const chosen = reader.shuffle(players).slice(0, size);
    for (const i of chosen) out[2 * k * n + i] = 1;
    for (let i = 0; i < n; i++) out[(2 * k + 1) * n + i] = 1 - out[2 * k * n + i];
  }
  return out;
}

/** Standard errors from the pairs' influence on the constrained solution: Q·Σ z·r, with Q = A⁻¹ − A⁻¹11ᵀA⁻¹/(1ᵀA⁻¹1). */
function errors(given: {
  coalitions: Uint8Array;
  scores: Float64Array;
  empty: number;
  values: Float64Array;
  inverse: Float64Array;
  ones: Float64Array;
  n: number;
}): Float64Array {
  const { coalitions, scores, empty, values, inverse, ones, n } = given;
  const rows = scores.length;
  const onesTotal = total(ones);
  const squares = new Float64Array(n);
  const pull = new Float64Array(n);
  for (let m = 0; m < rows; m += 2) {
    pull.fill(0);
    for (let k = m; k < m + 2; k++) {
      let residual = scores[k] - empty;
      for (let i = 0; i < n; i++) if (coalitions[k * n + i]) residual -= values[i];
      for (let i = 0; i < n; i++) if (coalitions[k * n + i]) pull[i] += residual / rows;
    }
    let along = 0;
    for (let i = 0; i < n; i++) along += ones[i] * pull[i];
    for (let i = 0; i < n; i++) {
      let sum = (-ones[i] * along) / onesTotal;
      for (let j = 0; j < n; j++) sum += inverse[i * n + j] * pull[j];
      squares[i] += sum * sum;
    }
  }
  const inflate = Math.sqrt(rows / Math.max(1, rows - n));
  return squares.map(s => inflate * Math.sqrt(s));
}
