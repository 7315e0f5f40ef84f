/** @file What methods cost, from what was timed on this model: the same settings, others of the same method by their counts, or another method's pass. For any backend. */
import type { Family } from '../attribution/method.ts';
import { gatePasses, type StepSettings } from '../bottleneck/gate-passes.ts';
import type { CostInfo } from './facts.ts';
import type { AttributeRequest, MethodChoice } from './requests.ts';

/** Options that say how often a method runs the model. */
const COUNTS = ['steps', 'batchSize', 'nSteps', 'samples', 'nSamples'];
/** Those of each tower, which add up. */
const MASKS = ['imageMasks', 'textMasks'];
/** Families that run the model forwards only; the others go back too, which takes about twice as long again. */
const FORWARD: readonly Family[] = ['perturbation', 'interaction', 'control'];

/** What a run's time depends on besides the model; neither picture nor words nor seed. */
export interface CostKey {
  readonly method: string;
  readonly family: Family;
  /** All of them, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly run: Pick<AttributeRequest, 'modality' | 'seeds' | 'imageSize'> & {
    /** Maps at once: the answer's and one for each of its words. Undefined where one is made. */
    readonly maps?: number;
  };
}

interface Timed extends CostKey {
  readonly seconds: number;
}

const same = (a: CostKey, b: CostKey): boolean => JSON.stringify([a.options, a.run]) === JSON.stringify([b.options, b.run]);

/** Options of a gate, whose quiet steps have one pass each. */
const isGate = (options: CostKey['options']): options is CostKey['options'] & StepSettings =>
  typeof options.steps === 'number' && typeof options.batchSize === 'number' && options.quietSteps !== undefined;

function countsOf({ options }: CostKey): number[] {
  // Gated gradients have their path's points beside the gate's passes.
  if (isGate(options)) return [gatePasses(options) + (typeof options.nSteps === 'number' ? options.nSteps + 1 : 0)];
  const numbers = (names: readonly string[]): number[] => names.map(name => options[name]).filter(value => typeof value === 'number');
  const masks = numbers(MASKS);
  return [...numbers(COUNTS), ...(masks.length > 0 ? [masks.reduce((sum, value) => sum + value, 0)] : [])];
}

/** Passes of the method with these options, up to a factor. */
const count = (key: CostKey): number =>
  countsOf(key).reduce((product, value) => product * Math.max(1, value), 1) * key.run.seeds * (key.run.maps ?? 1);

/** Passes forwards, about: what methods of different families have in common. Undefined where the options do not say how many there are. */
function passes(key: CostKey): number | undefined {
  const forward = FORWARD.includes(key.family);
  return countsOf(key).length === 0 && forward ? undefined : count(key) * (forward ? 1 : 3);
}

/**
 * Times a run that may be the first of its kind: its first unit compiles graphs and warms the engine up, so that the pace is that of the units
 * behind it.
 */
export class WarmPace {
  private first: { readonly at: number; readonly done: number } | undefined;
  private last: { readonly at: number; readonly done: number; readonly total: number } | undefined;

  /** @param now milliseconds of the run's clock */
  step(done: number, total: number, now = performance.now()): void {
    this.first ??= { at: now, done };
    this.last = { at: now, done, total };
  }

  /** Seconds that the whole takes at the warm pace; undefined before a second unit was done. */
  get seconds(): number | undefined {
    if (!this.first || !this.last || this.last.done <= this.first.done) return undefined;
    return (((this.last.at - this.first.at) / 1000) * this.last.total) / (this.last.done - this.first.done);
  }

  /** Seconds that are left; undefined in the first second. */
  get left(): number | undefined {
    if (!this.first || !this.last || this.last.at - this.first.at < 1000) return undefined;
    const { seconds } = this;
    return seconds === undefined ? undefined : (seconds * (this.last.total - this.last.done)) / this.last.total;
  }
}

/** Times of one model. */
export class CostLog {
  private readonly times = new Map<string, Timed[]>();
  /** Runs that are warm from now on. */
  private readonly warm = new Set<string>();

  /**
   * Notes what a run took. The first one of a method compiles its graphs and warms the engine up, so that of it only the pace counts; of several
   * the fastest.
   */
  note(key: CostKey, seconds: number, pace?: Pick<WarmPace, 'seconds'>): void {
    const name = JSON.stringify([key.method, key.options, key.run]);
    const cold = !this.warm.has(name);
    this.warm.add(name);
    const took = cold ? pace?.seconds : seconds;
    if (took === undefined) return;
    const list = this.times.get(key.method) ?? [];
    const known = list.find(each => same(each, key));
    const best = Math.min(took, known?.seconds ?? Number.POSITIVE_INFINITY);
    this.times.set(key.method, [{ ...key, seconds: best }, ...list.filter(each => each !== known)].slice(0, 50));
  }

  /** @param words the registry's on the cost; @param kept whether the result is there already */
  estimate(key: CostKey, { name }: MethodChoice, words: string, kept: boolean): CostInfo {
    const list = this.times.get(key.method) ?? [];
    const known = list.find(each => same(each, key));
    const plain = { method: name, kept, words };
    if (known) return { ...plain, seconds: known.seconds, basis: 'measured' };
    const alike = list.find(each => each.run.modality === key.run.modality && each.run.imageSize === key.run.imageSize) ?? list[0];
    if (alike) return { ...plain, seconds: (alike.seconds * count(key)) / count(alike), basis: 'scaled' };
    const mine = passes(key);
    const others = [...this.times.values()].flat().flatMap(each => {
      const theirs = passes(each);
      return theirs === undefined ? [] : [each.seconds / theirs];
    });
    if (mine === undefined || others.length === 0) return { ...plain, basis: 'unknown' };
    // The slowest pass: rather too much than too little.
    return { ...plain, seconds: mine * Math.max(...others), basis: 'guessed' };
  }
}
