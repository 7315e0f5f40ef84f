import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectClose } from '../../testing/close.ts';
import type { MethodEntry } from '../method.ts';
import { createMethod, findMethod } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { PAIRS, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';
import { weigh } from './gated-gradients.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

async function explain(name: string, options: Record<string, unknown> = {}, run: object = {}): Promise<Attribution[]> {
  await using method = createMethod(findMethod(name) as MethodEntry, model, options);
  return method.attributeAll(PAIRS, { seed: 2, ...run });
}

describe('gated gradients', () => {
  it('are gradients times a power of the share of the nats', () => {
    expect([...weigh(Float32Array.of(2, -4, 6, 1), Float32Array.of(9, 4, 1, 0), [1, 2, 3], 0.5)]).toEqual([2, -4, 3, 0]);
    expect([...weigh(Float32Array.of(2, -4), Float32Array.of(1, 4), [0, 1], 1)]).toEqual([0.5, -4]);
    // A gate that keeps nothing says nothing: the gradients stay.
    expect([...weigh(Float32Array.of(2, -4), new Float32Array(2), [0, 1], 1)]).toEqual([2, -4]);
  });

  it('come from both methods at one block, for image and caption', async () => {
    const fused = await explain('gated-gradients', { power: 1 });
    const gradients = await explain('layer-integrated-gradients', { nSteps: 10, textLayer: -1 });
    const nats = await explain('m2ib');
    for (const [i, { image, text }] of fused.entries()) {
      const patches = Array.from({ length: 16 }, (_, k) => k + 1);
      const expected = weigh(gradients[i].image!.tokens, nats[i].image!.tokens, patches, 1);
      expectClose(image!.tokens, expected, { rtol: 1e-3, atol: 1e-4 * Math.max(...expected.map(Math.abs)) });
      const wordTokens = text!.tokens.flatMap((t, k) => (t.special ? [] : [k]));
      const words = weigh(Float32Array.from(textValues(gradients[i])), Float32Array.from(textValues(nats[i])), wordTokens, 1);
      expectClose(textValues(fused[i]), words, { rtol: 1e-3, atol: 1e-4 * Math.max(...words.map(Math.abs)) });
    }
  });

  it('keep the sign of the gradients, and change with seed and target', async () => {
    const [first] = await explain('gated-gradients');
    const [gradient] = await explain('layer-integrated-gradients', { nSteps: 10 });
    for (let i = 0; i < 16; i++) expect(first.image!.patches[i] * gradient.image!.patches[i]).toBeGreaterThanOrEqual(0);
    expect((await explain('gated-gradients', {}, { seed: 9 }))[0].image!.patches).not.toEqual(first.image!.patches);
    expect((await explain('gated-gradients', {}, { target: { against: 'green boat' } }))[0].image!.patches).not.toEqual(
      first.image!.patches,
    );
    expect(first.image!.convergence.fit).toHaveLength(6);
  });
});

describe('guided Banzhaf values', () => {
  it('serve image and caption, with standard errors that shrink with the number of coalitions', async () => {
    const few = await explain('guided-banzhaf', { samples: 32 });
    const many = await explain('guided-banzhaf', { samples: 512 });
    const error = (a: Attribution): number => a.image!.standardError!.reduce((x, y) => x + y, 0);
    expect(error(many[1])).toBeLessThan(error(few[1]));
    expect(few[0].text!.words.every(w => Number.isFinite(w.value))).toBe(true);
    const exact = await explain('banzhaf', { samples: 65_536 }, { modality: 'text' });
    // Seven words have 128 coalitions: all are listed.
    expectClose(textValues(many[1]), textValues(exact[1]), { rtol: 1e-4, atol: 1e-6 });
  });
});
