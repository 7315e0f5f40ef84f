/** @file What methods cost, from what they took before: the same settings, or others of the same method by their counts. For any backend. */
import type { CostInfo } from './facts.ts';
import type { AttributeRequest, MethodChoice } from './requests.ts';

/** Options that say how often a method runs the model. */
const COUNTS = ['steps', 'batchSize', 'nSteps', 'samples', 'nSamples', 'imageMasks', 'textMasks'];

/** What a run's time depends on besides the model; neither picture nor words nor seed. */
export interface CostKey {
  readonly method: string;
  /** All of them, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly run: Pick<AttributeRequest, 'modality' | 'seeds' | 'imageSize'>;
}

interface Timed extends CostKey {
  readonly seconds: number;
}

const same = (a: CostKey, b: CostKey): boolean => JSON.stringify([a.options, a.run]) === JSON.stringify([b.options, b.run]);

/** Passes of the method with these options, up to a factor. */
function count({ options, run }: CostKey): number {
  const counted = COUNTS.map(name => options[name]).filter(value => typeof value === 'number');
  return counted.reduce((product, value) => product * Math.max(1, value), 1) * run.seeds;
}

/** Times of one model. */
export class CostLog {
  private readonly times = new Map<string, Timed[]>();

  /** Notes what a run took; the first run of a method compiles its graphs, so of several the fastest counts. */
  note(key: CostKey, seconds: number): void {
    const list = this.times.get(key.method) ?? [];
    const known = list.find(each => same(each, key));
    const best = Math.min(seconds, known?.seconds ?? Number.POSITIVE_INFINITY);
    this.times.set(key.method, [{ ...key, seconds: best }, ...list.filter(each => each !== known)].slice(0, 50));
  }

  /** @param words the registry's on the cost; @param kept whether the result is there already */
  estimate(key: CostKey, { name }: MethodChoice, words: string, kept: boolean): CostInfo {
    const list = this.times.get(key.method) ?? [];
    const known = list.find(each => same(each, key));
    const plain = { method: name, kept, words };
    if (known) return { ...plain, seconds: known.seconds, basis: 'measured' };
    const alike = list.find(each => each.run.modality === key.run.modality && each.run.imageSize === key.run.imageSize) ?? list[0];
    if (!alike) return { ...plain, basis: 'unknown' };
    return { ...plain, seconds: (alike.seconds * count(key)) / count(alike), basis: 'scaled' };
  }
}
