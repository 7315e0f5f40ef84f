import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AttributeFrame } from './frames.ts';
import { watchGate } from './frames.ts';
import { createMethod, type MethodName } from './registry.ts';
import { PAIRS, tinyPairModel } from './testing/tiny-pairs.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

const GATES: readonly MethodName[] = ['m2ib', 'm2ib-token', 'iba', 'coiba', 'adaib', 'gated-gradients'];

describe('frames', () => {
  it.each(GATES)('of %s end in the very maps of the result, which they do not change', async name => {
    await using method = createMethod(name, model);
    const plain = await method.attributeAll(PAIRS.slice(0, 2), { seed: 3 });
    const frames: AttributeFrame[] = [];
    const watched = await method.attributeAll(PAIRS.slice(0, 2), { seed: 3, onFrame: frame => frames.push(frame) });
    for (const [p, result] of watched.entries()) {
      expect(result.image?.tokens).toEqual(plain[p].image?.tokens);
      expect(result.text?.words).toEqual(plain[p].text?.words);
      for (const modality of ['image', 'text'] as const) {
        const part = result[modality];
        const own = frames.filter(f => f.pair === p && f.modality === modality);
        if (!part) expect(own).toEqual([]);
        else {
          const last = own.at(-1)!;
          expect([last.step, last.steps]).toEqual([last.steps, part.convergence.fit.length]);
          expect([last.fit, last.compression]).toEqual([part.convergence.fit.at(-1), part.convergence.compression.at(-1)]);
          expect(own.map(f => f.step)).toEqual([...new Set(own.map(f => f.step))].sort((a, b) => a - b));
        }
      }
      const image = frames.filter(f => f.pair === p && f.modality === 'image').at(-1)!;
      expect(image.tokens).toEqual(result.image!.tokens);
      expect(image.image).toEqual({ prefixTokens: result.image!.prefixTokens, grid: result.image!.grid, view: result.image!.view });
      const words = frames.filter(f => f.pair === p && f.modality === 'text').at(-1);
      if (result.text) expect(words?.words).toEqual(result.text.words);
    }
  });

  it('tell seeds apart', async () => {
    await using method = createMethod('m2ib', model, { steps: 2 });
    const frames: AttributeFrame[] = [];
    await method.attribute(PAIRS[0], { seeds: 2, modality: 'image', onFrame: frame => frames.push(frame) });
    expect(frames.filter(f => f.step === 2).map(f => f.seedIndex)).toEqual([0, 1]);
  });

  it('are not made for nobody, show every step where they cost nothing, and are left out where they do, the last excepted', () => {
    expect(watchGate({}, { modality: 'image' }, [0, 1], 3)).toBeUndefined();
    const stepsSeen = (milliseconds: number, steps = 20): number[] => {
      const seen: number[] = [];
      const watch = watchGate({ onFrame: f => seen.push(f.step) }, { modality: 'image' }, [0, 1], steps)!;
      // A clock of the test's own: what a busy machine takes is none of its business.
      let now = 0;
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
      const spend = (time: number): void => {
        now += time;
      };
      const map = () => {
        spend(milliseconds);
        return { information: new Float32Array(1), tokens: new Float32Array(1) };
      };
      for (let step = 1; step <= steps; step++) {
        watch({ step, fit: [0], compression: [0], map });
        spend(2);
      }
      clock.mockRestore();
      return seen;
    };
    expect(stepsSeen(0)).toHaveLength(20);
    const dear = stepsSeen(5);
    // A frame of 5 ms is followed by 20 ms without one: ten steps of 2 ms.
    expect(dear).toEqual([1, 11, 20]);
    // A long run: sixty at once, then one each 50 ms, 25 steps of 2 ms.
    const long = stepsSeen(0, 200);
    expect(long.slice(0, 60)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(long.slice(60)).toEqual([85, 110, 135, 160, 185, 200]);
  });
});
