/** @file Verdicts of WildVision-Bench: `[[A>B]]` and its like, A the baseline and B the model. */

const VERDICT = /\[\[([AB<>=]+)\]\]/g;

/** What a judgement says. */
export interface Verdict {
  /** What stands between the brackets, whatever it is; null where nothing does, or two different verdicts. */
  readonly verdict: string | null;
  /** The official script asks the judge again: there is no verdict at all. */
  readonly askAgain: boolean;
}

/** `get_score` of WildVision-Bench: one verdict between double brackets, given any number of times. */
export function parseVerdict(judgement: string): Verdict {
  const said = new Set([...judgement.matchAll(VERDICT)].map(match => match[1]));
  return { verdict: said.size === 1 ? [...said][0] : null, askAgain: said.size === 0 };
}

/** The outcome of a comparison seen from the model, best first. */
export const OUTCOMES = ['much better', 'better', 'tie', 'worse', 'much worse'] as const;

/** How a model fared against the baseline. */
export type Outcome = (typeof OUTCOMES)[number];

const BY_VERDICT: Readonly<Record<string, Outcome>> = {
  'B>>A': 'much better',
  'B>A': 'better',
  'A=B': 'tie',
  'A>B': 'worse',
  'A>>B': 'much worse',
};

/** What a verdict means for the model (B); undefined for one that is none of the five. */
export const outcomeOf = (verdict: string | null): Outcome | undefined => (verdict === null ? undefined : BY_VERDICT[verdict]);

/** The order in which lmms-eval looks for verdicts. */
const LOOKED_FOR = ['A>B', 'A>>B', 'A=B', 'B>A', 'B>>A'];

/** lmms-eval's reading: where there is no one verdict it searches the whole text, the milder verdict for the baseline first. */
export function lmmsEvalOutcome(judgement: string): Outcome | undefined {
  const text = parseVerdict(judgement).verdict ?? judgement;
  return outcomeOf(LOOKED_FOR.find(verdict => text.includes(verdict)) ?? null);
}
