import { describe, expect, it } from 'vitest';
import { judgeConvergence } from './convergence.ts';

/** A cost that falls towards 1, by a factor per step. */
const falling = (steps: number, factor: number): number[] => Array.from({ length: steps }, (_, i) => 1 + factor ** i);
const flat = (steps: number, value: number): number[] => Array(steps).fill(value);

describe('judgeConvergence', () => {
  it('is content once the last two steps bring little', () => {
    const [fit, compression] = [flat(10, 0.3), falling(10, 0.5)];
    const { verdict, note, ...curves } = judgeConvergence(fit, compression, 0.3);
    expect(verdict).toBe('converged');
    expect(note).toBe('The last two steps changed the loss by 1 % of its whole fall or less.');
    expect(curves).toEqual({ fit, compression });
  });

  it('wants more steps while the loss moves, down or up', () => {
    const down = judgeConvergence(flat(10, 0.3), falling(10, 0.95), 0.3);
    expect(down.verdict).toBe('not-converged');
    expect(down.note).toMatch(/^The last two steps still changed the loss by \d+ % of its whole fall; more steps may help\.$/);
    // 0.95⁷ − 0.95⁹ of 1 − 0.95⁹.
    expect(down.note).toContain(` ${Math.round((100 * (0.95 ** 7 - 0.95 ** 9)) / (1 - 0.95 ** 9))} %`);
    const up = judgeConvergence(flat(6, 0.3), [1, 0.5, 0.2, 0.1, 0.1, 0.4], 0.3);
    expect(up.verdict).toBe('not-converged');
    expect(judgeConvergence(flat(6, 0.3), [1, 1, 1, 1, 2, 3], 0.3).verdict).toBe('not-converged');
  });

  it('is content with a loss that never moved', () => {
    expect(judgeConvergence(flat(8, 0.2), flat(8, 0), 0.2).verdict).toBe('converged');
  });

  it('says when the gate let too little through, but not of pairs that never matched', () => {
    const closed = judgeConvergence([0.4, 0.2, 0.06, 0.05, 0.05, 0.05], falling(6, 0.1), 0.4);
    expect(closed.verdict).toBe('not-converged');
    expect(closed.note).toBe('The gate lets too little through (cosine 0.050 of 0.400); lower beta.');
    expect(judgeConvergence(flat(6, -0.2), falling(6, 0.1), -0.1).verdict).toBe('converged');
  });

  it('does not judge a handful of steps', () => {
    for (const steps of [1, 2, 3]) {
      const { verdict, note } = judgeConvergence(flat(steps, 0.3), falling(steps, 0.1), 0.3);
      expect([verdict, note]).toEqual([
        'not-converged',
        `Only ${steps} steps were taken; too few to judge.`.replace('1 steps were', '1 step was'),
      ]);
    }
    expect(judgeConvergence(flat(4, 0.3), falling(4, 0.1), 0.3).verdict).toBe('converged');
  });

  it('says so where the loss is not finite', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { verdict, note } = judgeConvergence(flat(5, 0.3), [1, 1, bad, 1, 1], 0.3);
      expect([verdict, note]).toEqual(['not-converged', 'The loss was not finite; lower the learning rate.']);
    }
  });

  it('says that nats are not settled where the last step moves what is left of a cost that fell from far above', () => {
    // "what is at the left ?" of examples/scene.png, six steps at a rate of 2 (30 November 2026): the last step all but loses the answer.
    const [fit, cost] = [
      [0, -0.01, -0.02, -0.65, -0.05, -1.51],
      [61, 40.2, 17.3, 2.3, 0.53, 0.61],
    ];
    const { verdict, note } = judgeConvergence(fit, cost, -0.01);
    expect(verdict).toBe('unsettled');
    expect(note).toBe(
      'The last step still changed the loss by 252 % of the cost that is left: how many nats there are is not settled; more steps at a falling rate bring it to rest (settle; with more than its 100 steps where they were not enough).',
    );
    const [seen, caption] = [
      [0.37, 0.367, 0.365, 0.361, 0.354, 0.348],
      [1, 0.5, 0.2, 0.088, 0.031, 0.021],
    ];
    expect(judgeConvergence(seen, caption, 0.37).note).toMatch(/^The last step still changed the cost by 48 % of what is left: /);
    // Seven tenths of the cost, and a tenth: enough.
    expect(judgeConvergence([0, 0, 0, -0.7, 0], [9, 5, 1.1, 1.1, 1], -0.01).verdict).toBe('converged');
    // A gate that ends closed has none, however the noise moves the fit.
    expect(judgeConvergence([0.3, 0.3, 0.3, 0.28, 0.3], [1, 0.1, 1e-3, 2e-5, 1e-5], 0.3).verdict).toBe('converged');
    // What counts no nats is judged by its loss alone.
    expect(judgeConvergence(fit, cost, -0.01, false).verdict).toBe('converged');
  });
});
