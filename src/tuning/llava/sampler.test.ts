import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatSample } from './chat-reader.ts';
import { groupLength } from './data.ts';
import { ModalitySampler, type SamplerSettings } from './sampler.ts';

const settings = fc
  .record({
    seed: fc.nat(1000),
    batchSize: fc.integer({ min: 1, max: 4 }),
    accumulation: fc.integer({ min: 1, max: 3 }),
    grouped: fc.boolean(),
    lengths: fc.array(
      fc.integer({ min: -50, max: 50 }).filter(n => n !== 0),
      { minLength: 12, maxLength: 60 },
    ),
  })
  .map(s => s as SamplerSettings);

describe('the sampler', () => {
  it('shows a sample at most once an epoch, and all but the last few, whatever the mixture', () => {
    fc.assert(
      fc.property(settings, s => {
        const sampler = new ModalitySampler(s);
        const perUpdate = s.batchSize * s.accumulation;
        const seen = Array.from({ length: sampler.updatesPerEpoch }, (_, u) => sampler.update(u)).flat(2);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.length).toBe(Math.floor(s.lengths.length / perUpdate) * perUpdate);
        for (const micro of sampler.update(0)) expect(micro.length).toBe(s.batchSize);
      }),
    );
  });

  it('is a function of seed and update, in any order', () => {
    fc.assert(
      fc.property(settings, fc.array(fc.nat(40), { maxLength: 8 }), (s, updates) => {
        const once = new ModalitySampler(s);
        const drawn = updates.map(u => once.update(u));
        expect(updates.toReversed().map(u => new ModalitySampler(s).update(u))).toEqual(drawn.reverse());
      }),
    );
    const lengths = Array.from({ length: 64 }, (_, i) => i + 1);
    const of = (seed: number) => new ModalitySampler({ seed, batchSize: 4, accumulation: 1, lengths, grouped: true });
    expect(of(1).update(0)).not.toEqual(of(2).update(0));
    expect(of(1).update(0)).not.toEqual(of(1).update(16));
  });

  it('keeps modalities apart but in the last updates, and sorts an update by length', () => {
    const lengths = Array.from({ length: 50 }, (_, i) => (i % 3 ? 1 + ((i * 7) % 20) : -1 - ((i * 5) % 20)));
    const sampler = new ModalitySampler({ seed: 3, batchSize: 2, accumulation: 2, lengths, grouped: true });
    const kinds = Array.from(
      { length: sampler.updatesPerEpoch },
      (_, u) =>
        new Set(
          sampler
            .update(u)
            .flat()
            .map(i => lengths[i] > 0),
        ).size,
    );
    // 33 with image and 17 without: 8 and 4 whole updates, one is left over of each kind.
    expect(kinds).toEqual(Array(12).fill(1));
    const mixed = new ModalitySampler({ seed: 3, batchSize: 3, accumulation: 2, lengths, grouped: true });
    const sizes = Array.from(
      { length: 8 },
      (_, u) =>
        new Set(
          mixed
            .update(u)
            .flat()
            .map(i => lengths[i] > 0),
        ).size,
    );
    expect(sizes).toEqual([1, 1, 1, 1, 1, 1, 1, 2]);
    for (let u = 0; u < 12; u++) {
      const all = sampler
        .update(u)
        .flat()
        .map(i => Math.abs(lengths[i]));
      expect(all).toEqual(all.toSorted((a, b) => b - a));
    }
  });

  it('mixes everything where it does not group, and takes a single modality', () => {
    const lengths = Array.from({ length: 40 }, (_, i) => (i % 2 ? 5 : -5));
    const plain = new ModalitySampler({ seed: 3, batchSize: 10, accumulation: 1, lengths, grouped: false });
    expect(
      new Set(
        plain
          .update(0)
          .flat()
          .map(i => lengths[i]),
      ),
    ).toEqual(new Set([5, -5]));
    for (const sign of [1, -1]) {
      const one = new ModalitySampler({
        seed: 3,
        batchSize: 4,
        accumulation: 1,
        lengths: lengths.map(n => sign * Math.abs(n)),
        grouped: true,
      });
      expect(one.updatesPerEpoch).toBe(10);
    }
    expect(() => new ModalitySampler({ seed: 3, batchSize: 41, accumulation: 1, lengths, grouped: true })).toThrow(RangeError);
  });
});

it('a sample is as long as its words and the tokens of its images; one without images is negative, at least one', () => {
  const sample = (texts: readonly string[], images: readonly string[] = []): ChatSample => ({
    ...{ name: 's', images },
    messages: texts.map(content => ({ role: 'user', content })),
  });
  expect(groupLength(sample(['what  is\nthis ?', 'a cat']), 100)).toBe(-6);
  expect(groupLength(sample(['<image>\nwhat ?', 'a cat'], ['a.png']), 100)).toBe(5 + 100);
  expect(groupLength(sample(['what ?'], ['a.png', 'b.png']), 100)).toBe(202);
  expect(groupLength(sample(['', ' ']), 100)).toBe(-1);
});
