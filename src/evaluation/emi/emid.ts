/**
 * @file EMI, its difference between two sets, and the bound of it (effective mutual information; "Understanding multimodal LLMs under
 * distribution shifts", ICML 2025). From the paper's formulas; checked against the published code, whose defects are named where we differ.
 */
import { NarrowsError } from '../../system/errors.ts';
import { type RjsdOptions, representationJsd } from '../distances/rjsd.ts';
import { type Rows, unitRows } from '../distances/rows.ts';

/** Embeddings of one set of items: what the model was shown, what it said, and what it should have said. One row per item in each. */
export interface EmbeddedSet {
  readonly visual: Rows;
  readonly text: Rows;
  /** Answers of the model. */
  readonly answer: Rows;
  /** Reference answers. */
  readonly reference: Rows;
}

/** Mutual information with the model's answers and with the references, nats. */
export interface Emi {
  readonly model: number;
  readonly reference: number;
  /** model - reference: what the model's answers say of the input, less what right answers would say. */
  readonly emi: number;
}

/** EMI from its two parts. */
export const emiOf = (model: number, reference: number): Emi => ({ model, reference, emi: model - reference });

/** EMI of the source less that of the target: above 0 where the model loses by the shift. */
export const emidOf = (source: Emi, target: Emi): number => source.emi - target.emi;

/** The four divergences that bound EMID, each in [0, ln 2] nats. */
export interface EmidDivergences {
  /** Pictures of source and target. */
  readonly visual: number;
  /** Questions of source and target. */
  readonly text: number;
  /** Answers and references of the source. */
  readonly sourceOutput: number;
  /** Answers and references of the target. */
  readonly targetOutput: number;
}

/**
 * The divergences between two sets, in double precision and never below 0 (the published code computes in float32, where equal sets come out
 * at -2e-7 and the bound complex). @param options `weights: 'size'` as published: sets of unequal size then count by their sizes
 * @throws RangeError for an empty set, rows of different widths, or values that are not finite
 */
export function emidDivergences(source: EmbeddedSet, target: EmbeddedSet, options: RjsdOptions = {}): EmidDivergences {
  return {
    visual: representationJsd(source.visual, target.visual, options),
    text: representationJsd(source.text, target.text, options),
    sourceOutput: representationJsd(source.answer, source.reference, options),
    targetOutput: representationJsd(target.answer, target.reference, options),
  };
}

/**
 * The bound of EMID from its divergences. Without `entropy` the scale-adjusted form that all published results have:
 * √visual + √text + ⁴√sourceOutput + ⁴√targetOutput. With it the theorem's: entropy · (√visual + √text) + 4 (⁴√sourceOutput + ⁴√targetOutput),
 * where entropy is the largest H(Q(y|x)) + H(P_θ(y|x)), nats, which the caller has to know. The scaled form is no bound in nats: it orders
 * shifts. Both stay above 0 for two equal sets, since the output terms stay.
 * @throws NarrowsError for an entropy that is no number from 0 on
 */
export function emidBound({ visual, text, sourceOutput, targetOutput }: EmidDivergences, entropy?: number): number {
  if (entropy !== undefined && !(entropy >= 0 && entropy < Number.POSITIVE_INFINITY))
    throw new NarrowsError(`The entropy factor of EMID's bound is a number of nats from 0 on, not ${entropy}.`);
  const inputs = Math.sqrt(visual) + Math.sqrt(text);
  const outputs = sourceOutput ** 0.25 + targetOutput ** 0.25;
  return entropy === undefined ? inputs + outputs : entropy * inputs + 4 * outputs;
}

/** A set whose four parts have rows of length 1 and as many of each. @throws NarrowsError where the numbers of rows differ */
export function unitSet(set: EmbeddedSet): EmbeddedSet {
  const sizes = Object.entries(set).map(([part, rows]): [string, number] => [part, (rows as Rows).length]);
  const odd = sizes.find(([, n]) => n !== sizes[0][1]);
  if (odd) throw new NarrowsError(`A set has ${sizes[0][1]} rows of ${sizes[0][0]} but ${odd[1]} of ${odd[0]}; each item needs all four.`);
  const { visual, text, answer, reference } = set;
  return { visual: unitRows(visual), text: unitRows(text), answer: unitRows(answer), reference: unitRows(reference) };
}
