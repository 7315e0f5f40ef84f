/** @file What is done to an input: a few numbers per step, which each form of file reads in its own way. fast-check makes and shrinks them. */
import fc from 'fast-check';

/** One step. `at` is a place as a share of 2^20 of whatever the form counts; `size` and `value` are what the step needs. */
export interface Mutation {
  readonly kind: number;
  readonly at: number;
  readonly size: number;
  readonly value: number;
}

/** The scale of `at`. */
export const SCALE = 2 ** 20;

const step = fc.record({
  kind: fc.nat(255),
  at: fc.nat(SCALE - 1),
  size: fc.oneof(fc.nat(8), fc.nat(64), fc.nat(65_535)),
  value: fc.nat(2 ** 31 - 1),
});

/** One to four steps, one most often. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.oneof(
  { weight: 3, arbitrary: fc.array(step, { minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.array(step, { minLength: 1, maxLength: 4 }) },
);

/** The steps of a case. @param seed see `caseSeed` */
export const mutationsOf = (seed: number): Mutation[] => fc.sample(mutations, { seed, numRuns: 1 })[0];

/** How the bytes of a file (or the words of a call) are changed. */
export interface Form {
  apply(content: Buffer, mutation: Mutation, others: readonly Buffer[]): Buffer;
}

/** Place of a mutation among `count` things. */
export const place = ({ at }: Mutation, count: number): number => Math.floor((at / SCALE) * count);

/** An item of a list by a mutation's value. */
export const choose = <T>({ value }: Mutation, list: readonly T[]): T => list[value % list.length];

/**
 * The simplest steps that still fail, from those of `seed`: fast-check's shrinking, bounded by the clock.
 * @param fails whether these steps have the same verdict
 */
export async function shrink(
  seed: number,
  fails: (steps: readonly Mutation[]) => Promise<boolean>,
  milliseconds: number,
): Promise<Mutation[]> {
  let best = mutationsOf(seed);
  const property = fc.asyncProperty(mutations, async steps => {
    if (!(await fails(steps))) return;
    best = steps;
    throw new Error('fails');
  });
  await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false });
  return best;
}
