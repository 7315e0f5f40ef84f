/** KernelSHAP and guided Banzhaf values against the same fits written out: every system is solved anew, nothing is taken from one inverse. */
import { expect, it } from 'vitest';
import { RandomStream } from '../../../tensor/random.ts';
import type { Game } from '../../game.ts';
import { gameOf } from '../testing/games.ts';
import { guidedBanzhaf } from './guided.ts';
import { kernelShap } from './kernel-shap.ts';
import { lime } from './lime.ts';

/** Gauss–Jordan elimination with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let i = 0; i < rows.length; i++) {
    const pivot = rows.slice(i).reduce((best, row, k) => (Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + k : best), i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let k = 0; k < rows.length; k++) {
      const factor = k === i ? 0 : rows[k][i] / rows[i][i];
      if (factor !== 0) for (let j = i; j < rows[k].length; j++) rows[k][j] -= factor * rows[i][j];
    }
  }
  return rows.map((row, i) => row.at(-1)! / row[i]);
}

/** A game without structure, which notes the coalitions that are drawn. */
function watched(n: number, stream: string) {
  const worth = new RandomStream(3, stream).normals(0, 0, new Float32Array(2 ** n));
  const plain = gameOf(n, has => worth[Array.from({ length: n }, (_, i) => (has(i) ? 2 ** i : 0)).reduce((a, b) => a + b)]);
  const drawn: number[][] = [];
  const game: Game = {
    players: n,
    values(rows) {
      for (let m = 0; m < rows.length / n; m++) drawn.push([...rows.subarray(m * n, (m + 1) * n)]);
      return plain.values(rows);
    },
  };
  const scoreOf = async (coalition: readonly number[]): Promise<number> => (await plain.values(Uint8Array.from(coalition)))[0];
  return { game, drawn, scoreOf };
}

it('kernel-shap: standard errors are the influence of each pair of complements on the constrained fit', async () => {
  const n = 4;
  const { game, drawn, scoreOf } = watched(n, 'kernel-shap');
  const { values, standardError } = await kernelShap(game, { samples: 15, seed: 2 });
  const coalitions = drawn.filter(c => c.includes(0) && c.includes(1));
  const scores = await Promise.all(coalitions.map(scoreOf));
  const [empty, full] = [await scoreOf([0, 0, 0, 0]), await scoreOf([1, 1, 1, 1])];
  expect(coalitions).toHaveLength(12);
  /** Minimises Σ w (v − v(∅) − Σφ)² under Σφ = v(all) − v(∅), by Lagrange. */
  const fitted = (weights: readonly number[]): number[] => {
    const gram = Array.from({ length: n + 1 }, () => Array<number>(n + 1).fill(0));
    const right = [...Array<number>(n).fill(0), full - empty];
    for (const [m, c] of coalitions.entries())
      for (let i = 0; i < n; i++) {
        right[i] += weights[m] * c[i] * (scores[m] - empty);
        for (let j = 0; j < n; j++) gram[i][j] += weights[m] * c[i] * c[j];
      }
    for (let i = 0; i < n; i++) gram[i][n] = gram[n][i] = 1;
    return solve(gram, right).slice(0, n);
  };
  const even = coalitions.map(() => 1);
  for (const [i, value] of fitted(even).entries()) expect(values[i]).toBeCloseTo(value, 9);
  const squares = Array<number>(n).fill(0);
  const step = 1e-5;
  for (let pair = 0; pair < 6; pair++) {
    const [up, down] = [step, -step].map(d => fitted(even.map((w, m) => (m >> 1 === pair ? w + d : w))));
    for (let i = 0; i < n; i++) squares[i] += ((up[i] - down[i]) / (2 * step)) ** 2;
  }
  // Coalitions that the fit used up are made up for: 12 of them for 4 players.
  for (let i = 0; i < n; i++) expect(standardError![i]).toBeCloseTo(Math.sqrt((squares[i] * 12) / (12 - n)), 6);
});

it('kernel-shap: two players leave nothing to chance', async () => {
  const { game, scoreOf } = watched(2, 'two');
  const { values, standardError } = await kernelShap(game, { samples: 3, seed: 1 });
  const [none, a, b, both] = await Promise.all(
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ].map(scoreOf),
  );
  expect(values[0]).toBeCloseTo((a - none + both - b) / 2, 9);
  expect(values[1]).toBeCloseTo((b - none + both - a) / 2, 9);
  for (const error of standardError!) expect(error).toBeLessThan(1e-9);
});

it('guided Banzhaf values: the ridge whose error on coalitions left out is smallest, fitted anew without each', async () => {
  const [n, samples, p] = [4, 14, 0.5];
  const guide = [0.5, -1, 0.25, 2];
  const { game, drawn, scoreOf } = watched(n, 'guided');
  const { values, standardError } = await guidedBanzhaf(game, guide, { samples, p, seed: 4 });
  const unit = guide.map(g => g / 2);
  const coalitions = drawn.slice(0, samples);
  const y = await Promise.all(coalitions.map(scoreOf));
  const rows = coalitions.map(c => [...c.map(v => v - p), 1, c.reduce((sum, v, i) => sum + (v - p) * unit[i], 0)]);
  const q = n + 2;
  const gramOf = (chosen: readonly number[], weight: number): number[][] =>
    Array.from({ length: q }, (_, i) =>
      Array.from({ length: q }, (_, j) => {
        const sum = chosen.reduce((s, r) => s + rows[r][i] * rows[r][j], 0);
        return i === j && i < n ? sum + weight * samples * p * (1 - p) : sum;
      }),
    );
  const fitted = (chosen: readonly number[], weight: number): number[] =>
    solve(
      gramOf(chosen, weight),
      Array.from({ length: q }, (_, i) => chosen.reduce((s, r) => s + rows[r][i] * y[r], 0)),
    );
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const all = rows.map((_, r) => r);
  const weights = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10, 100];
  const errors = weights.map(weight => {
    const left = all.map(r =>
      fitted(
        all.filter(k => k !== r),
        weight,
      ),
    );
    return left.reduce((sum, b, r) => sum + (y[r] - dot(rows[r], b)) ** 2, 0);
  });
  const weight = weights[errors.indexOf(Math.min(...errors))];
  const best = fitted(all, weight);
  for (let i = 0; i < n; i++) expect(values[i]).toBeCloseTo(best[i] + best[n + 1] * unit[i], 6);
  // The sandwich: columns of (G + Λ)⁻¹ by solving for unit vectors.
  const columns = Array.from({ length: q }, (_, i) =>
    solve(
      gramOf(all, weight),
      Array.from({ length: q }, (_, j) => Number(i === j)),
    ),
  );
  const plain = gramOf(all, 0);
  const leverage = all.reduce((sum, r) => sum + dot(rows[r], solve(gramOf(all, weight), rows[r])), 0);
  const noise = all.reduce((sum, r) => sum + (y[r] - dot(rows[r], best)) ** 2, 0) / (samples - leverage);
  const variance = columns.map(
    column =>
      noise *
      dot(
        column,
        plain.map(row => dot(row, column)),
      ),
  );
  for (let i = 0; i < n; i++) expect(standardError![i]).toBeCloseTo(Math.sqrt(variance[i] + variance[n + 1] * unit[i] ** 2), 6);
});

it('too few coalitions are said so, whatever fits them', async () => {
  const flat = gameOf(6, () => 1);
  await expect(lime(flat, { samples: 4, seed: 0, kernelWidth: 0.25, ridge: 0 })).rejects.toThrow(
    /coalitions are too few to tell what 6 players/,
  );
});
