/** @file Every method at a small cost: what tests of equality need is each graph once, not its best map. */
import { pairMethods } from '../../attribution/registry.ts';

/** Options that count work, and what is enough of it. */
const SMALL: Readonly<Record<string, number>> = {
  steps: 2,
  nSteps: 2,
  nSamples: 2,
  batchSize: 2,
  samples: 140,
  imageMasks: 140,
  textMasks: 24,
};

/** Names and options, in the order of the table. */
export const smallMethods = (): [name: string, options: Record<string, unknown>][] =>
  pairMethods().map(({ name, schema }) => [
    name,
    Object.fromEntries(
      Object.entries(SMALL).filter(([option]) => option in schema.shape && schema.safeParse({ [option]: SMALL[option] }).success),
    ),
  ]);
