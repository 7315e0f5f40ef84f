import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { RandomStream } from '../tensor/random.ts';
import { AdamW, clipFactor, globalNorm, type Optimizer, type Parameter } from './adamw.ts';
import { Muon } from './muon.ts';
import { SCHEDULES, scheduleFactor, warmupSteps } from './schedule.ts';

interface Update {
  readonly norm: number;
  readonly parameters: Record<string, number[]>;
}
const golden = JSON.parse(readFileSync(new URL('testdata/golden.json', import.meta.url), 'utf8')) as {
  rates: number[];
  shapes: Record<string, number[]>;
  start: Record<string, number[]>;
  gradients: Record<string, number[]>[];
  adamw: Update[];
  muon: Update[];
  muon_bfloat16: Update[];
  schedules: Record<(typeof SCHEDULES)[number], number[]>;
};
const options = { beta2: 0.98, weightDecay: 0.1, maxGradNorm: 1 };
const runtime = nodeRuntime({ threads: 1 });
const muons: Muon[] = [];
afterAll(() => Promise.all(muons.map(m => m.release())));

const start = (): Parameter[] =>
  Object.entries(golden.shapes).map(([name, shape]) => ({ name, shape, data: Float32Array.from(golden.start[name]) }));
const gradientsOf = (t: number): Map<string, Float32Array> =>
  new Map(Object.entries(golden.gradients[t]).map(([name, g]) => [name, Float32Array.from(g)]));
function makeMuon(parameters: Parameter[]): Muon {
  const muon = new Muon(runtime, parameters, options);
  muons.push(muon);
  return muon;
}

/** Largest distance to the golden parameters after each update; checks the norms on the way. */
async function departures(optimizer: Optimizer, parameters: readonly Parameter[], updates: readonly Update[]): Promise<number[]> {
  const out: number[] = [];
  for (const [t, { norm, parameters: wanted }] of updates.entries()) {
    expect(Math.abs((await optimizer.step(gradientsOf(t), golden.rates[t])) - norm)).toBeLessThan(1e-5 * norm);
    out.push(Math.max(...parameters.flatMap(p => [...p.data].map((v, i) => Math.abs(v - wanted[p.name][i])))));
  }
  return out;
}

describe('AdamW', () => {
  it("follows PyTorch's over five clipped updates of two groups", async () => {
    const parameters = start();
    const far = await departures(new AdamW(parameters, options), parameters, golden.adamw);
    expect(Math.max(...far)).toBeLessThan(5e-7);
  });

  it('goes on bit for bit from a saved state', () => {
    const whole = start();
    const a = new AdamW(whole, options);
    for (let t = 0; t < 3; t++) a.step(gradientsOf(t), golden.rates[t]);
    const half = whole.map(p => ({ ...p, data: p.data.slice() }));
    const b = new AdamW(half, options);
    b.load(a.stepsTaken, new Map([...a.tensors()].map(([name, data]) => [name, data.slice()])));
    for (const optimizer of [a, b]) for (let t = 3; t < 5; t++) optimizer.step(gradientsOf(t), golden.rates[t]);
    expect(half).toEqual(whole);
    expect(b.stepsTaken).toBe(5);
  });

  it('leaves a parameter without a gradient unchanged, and everything where the norm is not finite', () => {
    const parameters = start();
    const adamw = new AdamW(parameters, options);
    adamw.step(new Map([['scale', Float32Array.of(1)]]), 0.1);
    expect(parameters.filter((p, i) => !p.data.every((v, k) => v === start()[i].data[k])).map(p => p.name)).toEqual(['scale']);
    const before = parameters.map(p => p.data.slice());
    const bad = gradientsOf(0);
    bad.get('layers.0.fc1.bias')![3] = Number.NaN;
    expect(() => adamw.step(bad, 0.1)).toThrow("The gradient's norm is NaN at step 2; lower the learning rate or look for bad data.");
    expect(parameters.map(p => p.data)).toEqual(before);
    expect(adamw.stepsTaken).toBe(1);
  });

  it('says which tensor a saved state lacks, and takes nothing from it', () => {
    const adamw = new AdamW(start(), options);
    const state = new Map([...adamw.tensors()].map(([name, data]) => [name, data.slice().fill(1)]));
    state.set('second.scale', new Float32Array(2));
    expect(() => adamw.load(3, state)).toThrow('The optimiser state lacks "second.scale" with 1 values.');
    expect(adamw.tensors().get('first.scale')).toEqual(Float32Array.of(0));
  });
});

describe('Muon', () => {
  it('follows a float32 reference over five updates, with AdamW for the rest', async () => {
    const parameters = start();
    const far = await departures(makeMuon(parameters), parameters, golden.muon);
    expect(Math.max(...far)).toBeLessThan(2e-6);
  });

  it("agrees with torch.optim.Muon up to bfloat16's rounding", async () => {
    const parameters = start();
    const far = await departures(makeMuon(parameters), parameters, golden.muon_bfloat16);
    const moved = Math.max(...golden.start['layers.0.fc1.weight'].map((v, i) => Math.abs(v - parameters[0].data[i])));
    expect(Math.max(...far)).toBeLessThan(0.03 * moved);
  });

  it.each([
    ['square', 24, 24],
    ['tall', 64, 16],
    ['wide', 16, 64],
  ])('moves a %s matrix along singular values near 1', async (_, rows, columns) => {
    const names = ['layers.0.a.weight', 'layers.1.a.weight'];
    const parameters = names.map(name => ({ name, shape: [rows, columns], data: new Float32Array(rows * columns) }));
    const gradients = new Map(names.map((name, i) => [name, new RandomStream(5, name).normals(0, i, new Float32Array(rows * columns))]));
    await makeMuon(parameters).step(gradients, 1);
    const scale = 0.2 * Math.sqrt(Math.max(rows, columns));
    for (const { data } of parameters) {
      const values = singularValues(data, rows, columns).map(v => v / scale);
      expect(Math.max(...values)).toBeLessThan(1.25);
      // A square Gaussian matrix has a singular value near 0, which five steps bring up only in part.
      const high = values.filter(v => v > 0.6).length;
      expect(high).toBeGreaterThanOrEqual(Math.min(rows, columns) - (rows === columns ? 1 : 0));
    }
  });

  it('goes on bit for bit from a saved state', async () => {
    const whole = start();
    const a = makeMuon(whole);
    for (let t = 0; t < 3; t++) await a.step(gradientsOf(t), golden.rates[t]);
    const half = whole.map(p => ({ ...p, data: p.data.slice() }));
    const b = makeMuon(half);
    b.load(a.stepsTaken, new Map([...a.tensors()].map(([name, data]) => [name, data.slice()])));
    for (const optimizer of [a, b]) for (let t = 3; t < 5; t++) await optimizer.step(gradientsOf(t), golden.rates[t]);
    expect(half).toEqual(whole);
  });
});

describe('clip', () => {
  it('measures all gradients together and only ever scales down', () => {
    expect(globalNorm([Float32Array.of(3, 0), Float32Array.of(4)])).toBe(5);
    expect(clipFactor(5, 1)).toBeCloseTo(0.2, 6);
    expect(clipFactor(0.5, 1)).toBe(1);
    expect(clipFactor(5, undefined)).toBe(1);
  });
});

describe('schedules', () => {
  it.each(SCHEDULES)('%s equals transformers', name => {
    golden.schedules[name].forEach((wanted, step) => {
      expect(scheduleFactor(name, step, 20, 4, 6)).toBeCloseTo(wanted, 12);
    });
  });

  it('takes a warm-up below 1 as a share of all steps', () => {
    expect(warmupSteps(0.1, 25)).toBe(3);
    expect(warmupSteps(1, 25)).toBe(1);
    expect(scheduleFactor('linear', 1, 20, 0.2)).toBe(0.25);
  });
});

/** Square roots of the eigenvalues of the smaller Gram matrix, by Jacobi rotations. */
function singularValues(m: Float32Array, rows: number, columns: number): number[] {
  const n = Math.min(rows, columns);
  const at = (i: number, k: number): number => (rows <= columns ? m[i * columns + k] : m[k * columns + i]);
  const g = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) =>
      Array.from({ length: Math.max(rows, columns) }, (_, k) => at(i, k) * at(j, k)).reduce((a, b) => a + b),
    ),
  );
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(g[p][q]) < 1e-14) continue;
        const theta = 0.5 * Math.atan2(2 * g[p][q], g[q][q] - g[p][p]);
        const [c, s] = [Math.cos(theta), Math.sin(theta)];
        for (let k = 0; k < n; k++) [g[k][p], g[k][q]] = [c * g[k][p] - s * g[k][q], s * g[k][p] + c * g[k][q]];
        for (let k = 0; k < n; k++) [g[p][k], g[q][k]] = [c * g[p][k] - s * g[q][k], s * g[p][k] + c * g[q][k]];
      }
    }
  }
  return g.map((row, i) => Math.sqrt(Math.max(0, row[i])));
}
