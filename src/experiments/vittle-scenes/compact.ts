/**
 * @file A run's outcome in few kilobytes, so that all runs of an experiment can be kept beside its report and taken up elsewhere: probabilities
 * as a character each, shares of tokens only where they say more than right or wrong.
 */
import type { ExamOutcome, RunOutcome } from './outcome.ts';

/** Probabilities are kept as logits in steps of .2 from −6 to 12: a character each, and order is kept up to .999994. */
const LOGIT = { low: -6, step: 0.2, levels: 91 } as const;
/** First character of the scale; the quotation mark stands before it, the backslash is passed over. */
const [FIRST, BACKSLASH] = [35, 92];

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

function levelOf(logProbability: number): number {
  const logit = logProbability - Math.log1p(-Math.exp(Math.min(0, logProbability)));
  return clamp(Math.round((logit - LOGIT.low) / LOGIT.step), 0, LOGIT.levels - 1);
}

const confidenceOf = (level: number): number => -Math.log1p(Math.exp(-(LOGIT.low + LOGIT.step * level)));

/** A log-probability, nats, as it will be read back. NaN stays NaN. */
export const roundConfidence = (logProbability: number): number =>
  Number.isNaN(logProbability) ? Number.NaN : confidenceOf(levelOf(logProbability));

function packConfidences(values: readonly number[]): string | undefined {
  if (values.some(Number.isNaN)) return undefined;
  return values
    .map(value => {
      const code = FIRST + levelOf(value);
      return String.fromCharCode(code < BACKSLASH ? code : code + 1);
    })
    .join('');
}

const unpackConfidences = (text: string): number[] =>
  Array.from(text, character => {
    const code = character.charCodeAt(0);
    return confidenceOf(code - FIRST - (code > BACKSLASH ? 1 : 0));
  });

/** What stands in a file. */
export interface CompactExam extends Omit<ExamOutcome, 'tokens' | 'said' | 'wrong'> {
  /** By the item's number, where it is not all or nothing as the answer was right or wrong. */
  readonly tokens: Readonly<Record<string, number>>;
  readonly said?: string;
  /** Of the wrong answers in their order. */
  readonly wrong?: readonly string[];
}

const wholly = (right: string): number => (right === '1' ? 1000 : 0);

/** Numbers of the items that were answered wrong. */
const mistakes = (correct: string): number[] => [...correct].flatMap((right, i) => (right === '1' ? [] : [i]));

function packExam({ tokens, said, wrong, ...rest }: ExamOutcome): CompactExam {
  const partly = tokens.flatMap((share, i) => (share === wholly(rest.correct[i]) ? [] : [[i, share] as const]));
  const packed = said && packConfidences(said);
  return {
    ...rest,
    tokens: Object.fromEntries(partly),
    ...(packed === undefined ? {} : { said: packed }),
    ...(wrong && { wrong: mistakes(rest.correct).map(i => wrong[i] ?? '') }),
  };
}

function unpackExam({ tokens, said, wrong, ...rest }: CompactExam): ExamOutcome {
  const shares = Array.from(rest.correct, (right, i) => tokens[i] ?? wholly(right));
  return {
    ...rest,
    tokens: shares,
    ...(said === undefined ? {} : { said: unpackConfidences(said) }),
    ...(wrong && { wrong: Object.fromEntries(mistakes(rest.correct).map((i, k) => [i, wrong[k]])) }),
  };
}

/** A run's outcome, packed. */
export type CompactOutcome = Omit<RunOutcome, 'outcomes'> & { readonly outcomes: Readonly<Record<string, CompactExam>> };

const mapped = <A, B>(of: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, change(value)]));

/** Packs an outcome; what comes back from `unpackOutcome` is equal to it. */
export const packOutcome = (outcome: RunOutcome): CompactOutcome => ({ ...outcome, outcomes: mapped(outcome.outcomes, packExam) });

/** The outcome that was packed. */
export const unpackOutcome = (packed: CompactOutcome): RunOutcome => ({ ...packed, outcomes: mapped(packed.outcomes, unpackExam) });
