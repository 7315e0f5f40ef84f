import { describe, expect, it } from 'vitest';
import { awkward } from '../../node/mpi/testing/awkward.ts';
import { FlatLayout } from './flat.ts';
import { leavesOf, spansOf, TreeSum } from './leaves.ts';
import { addInPlace, reduceGradients } from './reduce.ts';
import { shardsOf } from './sharded.ts';
import { ranksHere } from './testing/ranks-here.ts';

/** Three parameters, one of them too short to be cut for four ranks. */
const PARAMETERS = [
  { name: 'a', data: { length: 1009 } },
  { name: 'b', data: { length: 2 } },
  { name: 'c', data: { length: 500 } },
];
const layout = new FlatLayout(PARAMETERS);

const gradientsOf = (leaf: number): Map<string, Float32Array> => {
  const row = awkward(leaf, layout.length);
  return new Map(PARAMETERS.map((p, i) => [p.name, row.slice(layout.starts[i], layout.starts[i + 1])]));
};

/** Sums of neighbouring micro-batches, as one rank makes them. */
function summed(count: number, from: number, to: number): Map<string, Float32Array>[] {
  const sum = new TreeSum<Map<string, Float32Array>>(count, (a, b) => {
    for (const [name, values] of a) addInPlace(values, b.get(name)!);
    return a;
  });
  for (let leaf = from; leaf < to; leaf++) sum.take({ from: leaf, to: leaf + 1 }, gradientsOf(leaf));
  return sum.parts.map(({ value }) => value);
}

describe('the sum of the micro-batches of an update', () => {
  it('is taken along one tree: pairs first, not one after the other', () => {
    const words = new TreeSum<string>(5, (a, b) => `(${a} ${b})`);
    for (let leaf = 0; leaf < 5; leaf++) words.take({ from: leaf, to: leaf + 1 }, String(leaf));
    expect(words.parts).toEqual([{ span: { from: 0, to: 5 }, value: '(((0 1) 2) (3 4))' }]);
  });

  it('needs one message of a rank where its share is a branch, and few where it is not', () => {
    expect(spansOf(8, 1, 4)).toEqual([{ from: 2, to: 4 }]);
    expect(spansOf(4, 0, 1)).toEqual([{ from: 0, to: 4 }]);
    for (let count = 1; count <= 40; count++)
      for (let size = 1; size <= count; size++)
        for (let rank = 0; rank < size; rank++) {
          const spans = spansOf(count, rank, size);
          const { from, to } = leavesOf(count, rank, size);
          expect([spans[0].from, spans.at(-1)!.to]).toEqual([from, to]);
          expect(spans.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count + 1)));
        }
  });

  it('over any number of ranks has the bits of one rank, whole or each range where it belongs', async () => {
    for (const [count, size] of [
      [2, 2],
      [4, 2],
      [6, 3],
      [7, 3],
      [8, 4],
      [5, 4],
    ]) {
      const [alone] = summed(count, 0, count);
      for (const values of alone.values()) for (let i = 0; i < values.length; i++) values[i] *= 1 / count;
      const shards = shardsOf(layout, size).map(i => layout.starts[i]);
      const even = Array.from({ length: size + 1 }, (_, r) => Math.floor((r * layout.length) / size));
      for (const [bounds, everywhere] of [
        [even, true],
        [shards, false],
      ] as const)
        await Promise.all(
          ranksHere(size).map(async ranks => {
            const { from, to } = leavesOf(count, ranks.rank, size);
            const out = new Map(PARAMETERS.map(p => [p.name, new Float32Array(p.data.length)]));
            await reduceGradients(summed(count, from, to), out, { ranks, layout, count, scale: 1 / count, bounds, everywhere });
            const [at, end] = everywhere ? [0, layout.length] : [bounds[ranks.rank], bounds[ranks.rank + 1]];
            const [got, wanted] = [out, alone].map(arrays => {
              const row = new Float32Array(end - at);
              layout.read(arrays, at, row);
              return row;
            });
            expect(got, `${count} micro-batches, rank ${ranks.rank} of ${size}`).toEqual(wanted);
          }),
        );
    }
  });
});

describe('the parameters of a spread optimiser', () => {
  it('are all moved by one rank each, in shares as even as whole parameters allow', () => {
    expect(shardsOf(layout, 1)).toEqual([0, 3]);
    expect(shardsOf(layout, 2)).toEqual([0, 1, 3]);
    for (const size of [2, 3, 4, 9]) {
      const shards = shardsOf(layout, size);
      expect([shards[0], shards.at(-1), shards.length]).toEqual([0, 3, size + 1]);
      expect(shards).toEqual(shards.toSorted((a, b) => a - b));
    }
  });
});
