/**
 * @file The chain of the promise, link by link: what the bottleneck charges bounds how far states move; how far they move bounds what answers
 * lose of their information (EMID); and that goes with the accuracy that is lost. Measured over a suite, for models side by side.
 */
import { emidBound } from '../../evaluation/emi/emid.ts';
import type { EmidResult, EmiResults } from '../../evaluation/emi/results.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { pairedT } from '../../tensor/statistics/paired-t.ts';
import { type Correlation, correlate } from '../../tensor/statistics/pearson-interval.ts';
import type { SideMovement, Sitting } from './sitting.ts';
import { CONDITIONS, type Condition, type SuiteItem } from './suite.ts';

/** A loss with its 95 % interval. */
export interface Loss {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A model under a shift. */
export interface Link {
  readonly condition: Condition;
  /** Accuracy over closed questions, and what the shift took of it (95 %, clustered by scene). */
  readonly accuracy: number;
  readonly lost: Loss;
  /** What the shift took of the words that all answers, descriptions too, share with the references (F1, 0 to 1). */
  readonly wordsLost: Loss;
  readonly emid: EmidResult['emid'];
  readonly divergences: EmidResult['divergences'];
  /** Scaled bounds of EMID: with the divergences of pictures and questions, and with those of the states in their place. */
  readonly bound: number;
  readonly stateBound: number;
  readonly visual: SideMovement;
  readonly text: SideMovement;
  /** Half of what clean and shifted rows charge together, nats: what bounds the divergence of z. None without a bottleneck. */
  readonly charge?: { readonly visual: Charge; readonly text: Charge };
}

/** The bound by all tokens, and the tighter one by their pooled mean. */
export interface Charge {
  readonly total: number;
  readonly pooled: number;
}

/** A model over the suite. */
export interface ModelChain {
  readonly model: string;
  readonly layer: number;
  readonly cleanAccuracy: number;
  readonly links: readonly Link[];
}

const closedItems = (items: readonly SuiteItem[]): number[] => items.flatMap(({ task }, i) => (task === 'caption' ? [] : [i]));

/** Exactly right closed answers, 1 or 0. */
function marks(items: readonly SuiteItem[], answers: readonly string[]): number[] {
  return closedItems(items).map(i => Number(answers[i] === items[i].reference));
}

/** F1 of two texts' words, in any order: 1 for the same words, 0 for none in common. */
export function overlap(answer: string, reference: string): number {
  const [said, right] = [answer.split(/\s+/).filter(Boolean), reference.split(/\s+/).filter(Boolean)];
  const left = [...right];
  let common = 0;
  for (const word of said) {
    const at = left.indexOf(word);
    if (at < 0) continue;
    left.splice(at, 1);
    common++;
  }
  return common === 0 ? 0 : (2 * common) / (said.length + right.length);
}

function lossOf(before: readonly number[], after: readonly number[], clusters: readonly number[]): Loss {
  const { difference: value, low, high } = pairedT(before, after, { clusters });
  return { value, low, high };
}

function chargeOf(clean: SideMovement, shifted: SideMovement): Charge {
  const half = (key: 'total' | 'pooled'): number => (clean.nats![key] + shifted.nats![key]) / 2;
  return { total: half('total'), pooled: half('pooled') };
}

/** Puts a model's sitting and its EMI together. @param items the clean ones; references are the same under all shifts */
export function chainOf(sitting: Sitting, emi: EmiResults, items: readonly SuiteItem[]): ModelChain {
  const [clean, ...shifted] = sitting.conditions;
  const before = marks(items, clean.answers);
  const scenes = closedItems(items).map(i => items[i].scene);
  const words = (answers: readonly string[]): number[] => answers.map((answer, i) => overlap(answer, items[i].reference));
  const links = shifted.map((sat, i): Link => {
    const after = marks(items, sat.answers);
    const { emid, divergences, bound } = emi.targets[i];
    return {
      condition: CONDITIONS[i + 1],
      accuracy: mean(after),
      lost: lossOf(before, after, scenes),
      wordsLost: lossOf(
        words(clean.answers),
        words(sat.answers),
        items.map(({ scene }) => scene),
      ),
      emid,
      divergences,
      bound,
      stateBound: emidBound({ ...divergences, visual: sat.visual.used, text: sat.text.used }),
      visual: sat.visual,
      text: sat.text,
      ...(clean.visual.nats ? { charge: { visual: chargeOf(clean.visual, sat.visual), text: chargeOf(clean.text, sat.text) } } : {}),
    };
  });
  return { model: sitting.model, layer: sitting.layer, cleanAccuracy: mean(before), links };
}

/** How far a model's states moved, as the bound counts it: √ of the pictures' divergence and √ of the words'. */
export const moved = ({ visual, text }: Link): number => Math.sqrt(visual.used) + Math.sqrt(text.used);
/** The same of what went in. */
export const shiftedBy = ({ divergences }: Link): number => Math.sqrt(divergences.visual) + Math.sqrt(divergences.text);

/** For how many shifts a bound holds, and for how many it says anything (it lies below ln 2, the largest divergence there is). */
export interface BoundCheck {
  readonly side: 'visual' | 'text';
  readonly by: keyof Charge;
  /** `sampled`: z, which the theorem is about. `used`: what goes on when answering, past the bottleneck in part. */
  readonly of: 'sampled' | 'used';
  readonly holds: number;
  readonly says: number;
  readonly shifts: number;
  /** Smallest and largest bound, and largest divergence, nats. */
  readonly least: number;
  readonly most: number;
  readonly furthest: number;
}

/** The first link, for a model with a bottleneck. */
export function chargeChecks({ links }: ModelChain): BoundCheck[] {
  if (!links[0]?.charge) return [];
  return (['visual', 'text'] as const).flatMap(side =>
    (['total', 'pooled'] as const).flatMap(by =>
      (['sampled', 'used'] as const).map((of): BoundCheck => {
        const bounds = links.map(link => link.charge![side][by]);
        const reached = links.map(link => link[side][of]!);
        return {
          ...{ side, by, of, shifts: links.length },
          holds: bounds.filter((bound, i) => bound >= reached[i]).length,
          says: bounds.filter(bound => bound < Math.LN2).length,
          least: Math.min(...bounds),
          most: Math.max(...bounds),
          furthest: Math.max(...reached),
        };
      }),
    ),
  );
}

/** A correlation over shifts. */
export interface NamedCorrelation extends Correlation {
  readonly model: string;
  readonly of: string;
  /** `all` shifts, or those of one kind. */
  readonly over: 'all' | Condition['kind'];
}

const PAIRS: readonly (readonly [of: string, x: (link: Link) => number, y: (link: Link) => number])[] = [
  ['states moved – EMID', moved, link => link.emid.value],
  ['states moved – accuracy lost', moved, link => link.lost.value],
  ['inputs moved – accuracy lost', shiftedBy, link => link.lost.value],
  ['bound – EMID', link => link.bound, link => link.emid.value],
  ['bound – accuracy lost', link => link.bound, link => link.lost.value],
  ['EMID – accuracy lost', link => link.emid.value, link => link.lost.value],
  ['EMID – words lost, all answers', link => link.emid.value, link => link.wordsLost.value],
  ['states moved – words lost, all answers', moved, link => link.wordsLost.value],
];

/** The later links: over all shifts, and within kinds, where the mean of a kind cannot make the correlation. */
export function chainCorrelations({ model, links }: ModelChain): NamedCorrelation[] {
  return (['all', 'visual', 'textual'] as const).flatMap(over =>
    PAIRS.map(([of, x, y]): NamedCorrelation => {
      const used = links.filter(link => over === 'all' || link.condition.kind === over);
      return { model, of, over, ...correlate(used.map(x), used.map(y)) };
    }),
  );
}

/** A difference between two models over the same shifts, with its interval (Student's t over shifts). */
export interface ModelDifference {
  readonly what: string;
  readonly first: number;
  readonly second: number;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** Does the model with the bottleneck move less, lose less? @returns first - second */
export function modelDifferences(first: ModelChain, second: ModelChain): ModelDifference[] {
  const of: readonly (readonly [string, (link: Link) => number])[] = [
    ['states of pictures moved (RJSD)', link => link.visual.used],
    ['states of words moved (RJSD)', link => link.text.used],
    ['EMID', link => link.emid.value],
    ['bound of EMID', link => link.bound],
    ['bound by states', link => link.stateBound],
    ['accuracy lost', link => link.lost.value],
    ['words lost, all answers', link => link.wordsLost.value],
  ];
  return of.map(([what, read]) => {
    const [a, b] = [first.links.map(read), second.links.map(read)];
    const { difference, low, high } = pairedT(a, b);
    return { what, first: mean(a), second: mean(b), difference, low, high };
  });
}
