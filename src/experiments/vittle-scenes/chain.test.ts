import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
import type { ChainCell } from './cells.ts';
import { carrying, firstBreak, klMoves, moved } from './chain.ts';
import { mediation, mediationVerdict } from './mediation.ts';

const SEEDS = 8;
const SHIFTS = 9;

/** What a simulated condition does: how far it moves beside the first, and what it gains by itself. */
interface Planted {
  readonly name: string;
  readonly jsd: number;
  readonly gain?: number;
  readonly kl?: number;
}

/** Runs whose accuracy under a shift is −slope · JSD, plus what the condition gains whatever it moves. */
function simulated(conditions: readonly Planted[], slope: number, { noise = 0.004, emid = 0, seed = 1 } = {}): ChainCell[] {
  const random = new RandomStream(seed, 'simulated');
  return conditions.flatMap(({ name, jsd, gain = 0, kl }, c) =>
    Array.from({ length: SEEDS }, (_, s) =>
      Array.from({ length: SHIFTS }, (_, k): ChainCell => {
        const reader = random.reader(c * SEEDS + s, k);
        const draw = (): number => (reader.uniform() - 0.5) * 2 * noise;
        const x = 0.1 + 0.02 * k + jsd + draw();
        return {
          ...{ condition: name, seed: s, exam: `image:${k}`, jsd: x, change: gain - slope * x - 0.01 * k + draw() },
          ...(kl === undefined ? {} : { kl }),
          ...(emid === 0 ? {} : { emid: emid * x + draw() }),
        };
      }),
    ).flat(),
  );
}

describe('mediation', () => {
  it('finds what was planted, with its sign and size', () => {
    for (const [jsd, sign] of [
      [-0.02, 1],
      [0.02, -1],
    ] as const) {
      const cells = simulated(
        [
          { name: 'plain', jsd: 0 },
          { name: 'vittle-f', jsd },
        ],
        2,
      );
      const found = mediation(cells, 'vittle-f', 'plain')!;
      expect(found.difference.estimate).toBeCloseTo(sign * 0.04, 2);
      expect(found.carried.estimate).toBeCloseTo(sign * 0.04, 2);
      expect(found.carriedWithin.estimate).toBeCloseTo(sign * 0.04, 1);
      expect(Math.min(sign * found.carried.low, sign * found.carried.high)).toBeGreaterThan(0);
      expect(mediationVerdict(found)).toBe('JSD carries it');
    }
  });

  it('finds nothing where nothing is: no difference, or one that movement has no part in', () => {
    const idle = simulated(
      [
        { name: 'plain', jsd: 0 },
        { name: 'vittle-f', jsd: -0.02 },
      ],
      0,
    );
    expect(mediationVerdict(mediation(idle, 'vittle-f', 'plain')!)).toBe('nothing to carry');
    expect(mediation(idle, 'vittle-f', 'plain')!.carried.estimate).toBeCloseTo(0, 2);
    // It moves less and is better, but no run is better for moving less.
    const direct = simulated(
      [
        { name: 'plain', jsd: 0 },
        { name: 'vittle-f', jsd: -0.02, gain: 0.04 },
      ],
      0,
    );
    const found = mediation(direct, 'vittle-f', 'plain')!;
    expect(found.difference.estimate).toBeCloseTo(0.04, 2);
    expect(Math.abs(found.carriedWithin.estimate)).toBeLessThan(0.01);
    expect(mediationVerdict(found)).toBe('not shown');
    // It is better without moving.
    const still = simulated(
      [
        { name: 'plain', jsd: 0 },
        { name: 'vittle-f', jsd: 0, gain: 0.04 },
      ],
      2,
    );
    expect(mediationVerdict(mediation(still, 'vittle-f', 'plain')!)).toBe('not shown');
  });

  it('has an interval that covers: of 20 simulations without an effect few are called clear', () => {
    let wrong = 0;
    for (let seed = 0; seed < 20; seed++) {
      const cells = simulated(
        [
          { name: 'plain', jsd: 0 },
          { name: 'lora', jsd: 0 },
        ],
        1,
        { seed: 100 + seed },
      );
      const { low, high } = mediation(cells, 'lora', 'plain', 200)!.difference;
      if (low > 0 || high < 0) wrong++;
    }
    expect(wrong).toBeLessThan(5);
  });

  it('needs two seeds and two shifts', () => {
    const cells = simulated(
      [
        { name: 'plain', jsd: 0 },
        { name: 'vittle-f', jsd: -0.02 },
      ],
      2,
    );
    expect(
      mediation(
        cells.filter(c => c.seed === 0),
        'vittle-f',
        'plain',
      ),
    ).toBeUndefined();
    expect(
      mediation(
        cells.filter(c => c.exam === 'image:0'),
        'vittle-f',
        'plain',
      ),
    ).toBeUndefined();
    expect(mediation(cells, 'lora', 'plain')).toBeUndefined();
  });
});

describe('the chain', () => {
  const charged = [0.02, 0.4, 0.8, 1.2, 1.6].map((kl, i): Planted => ({ name: `c${i}`, kl, jsd: 0.02 * kl }));
  const plain: Planted = { name: 'plain', jsd: 0 };
  const of = (cells: readonly ChainCell[], to: string) => carrying(cells).find(step => step.to === to)!.correlation;

  it('finds each link that was planted, with its sign', () => {
    const cells = simulated([plain, ...charged], 1.5, { emid: 2 });
    expect(of(cells, 'jsd')!).toMatchObject({ n: 5 });
    expect(of(cells, 'jsd')!.low).toBeGreaterThan(0.5);
    // Conditions times shifts.
    expect(of(cells, 'emid')!).toMatchObject({ n: 54 });
    expect(of(cells, 'emid')!.low).toBeGreaterThan(0.5);
    expect(of(cells, 'change')!.high).toBeLessThan(-0.5);
    expect(firstBreak(cells, 'c4', 'plain', true)).toBeUndefined();
    expect(firstBreak(cells, 'c4', 'plain', false)).toBe('KL does not move');
  });

  it('names the first link that breaks', () => {
    const loose = charged.map((c, i) => ({ ...c, jsd: [0.03, 0.01, 0.03, 0.01, 0.03][i] }));
    expect(firstBreak(simulated([plain, ...loose], 1.5, { emid: 2 }), 'c4', 'plain', true)).toBe('KL → JSD: not shown');
    expect(firstBreak(simulated([plain, ...charged], 1.5), 'c4', 'plain', true)).toBe('JSD → EMID: not measured');
    // EMID of noise only.
    const noise = simulated([plain, ...charged], 1.5, { emid: 1e-9 });
    expect(firstBreak(noise, 'c4', 'plain', true)).toBe('JSD → EMID: not shown');
  });

  it('is not taken in by shifts that differ: what all conditions share is taken away', () => {
    // Harder shifts move further and cost more; conditions differ by chance only.
    const cells = simulated([plain, ...charged.map(c => ({ ...c, jsd: 0 }))], 0, { emid: 1e-9 });
    const found = of(cells, 'emid')!;
    expect(found.low).toBeLessThan(0);
    expect(found.high).toBeGreaterThan(0);
  });

  it('compares with the first condition seed by seed', () => {
    const cells = simulated([plain, { name: 'vittle-f', jsd: -0.02 }], 2);
    const jsd = moved(cells, 'vittle-f', 'plain', 'jsd')!;
    expect(jsd).toMatchObject({ n: SEEDS });
    expect(jsd.difference).toBeCloseTo(-0.02, 2);
    expect(moved(cells, 'vittle-f', 'plain', 'change')!.difference).toBeCloseTo(0.04, 2);
    expect(moved(cells, 'vittle-f', 'plain', 'emid')).toBeUndefined();
  });

  it("calls KL moved by the plan's two thresholds", () => {
    expect(klMoves([0.06, 0.06], [0.3, 0.3])).toBe(true);
    expect(klMoves([0.04], [0.9])).toBe(false);
    expect(klMoves([0.9], [0.2])).toBe(false);
  });
});
