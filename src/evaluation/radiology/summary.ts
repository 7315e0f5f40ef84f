/** @file An audit in numbers: means over findings with intervals over pictures, per class and over all. */
import { RandomStream } from '../../tensor/random.ts';
import { bootstrap } from '../../tensor/statistics/bootstrap.ts';
import type { AuditRecord, Variant } from './record.ts';

/** A mean with its 95 % interval (BCa bootstrap over pictures) and the findings that it is over. */
export interface AuditFigure {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly pictures: number;
}

/** All figures of one class, or of all. */
export interface AuditSummary {
  readonly label: string;
  readonly findings: number;
  readonly figures: Readonly<Record<string, AuditFigure>>;
}

/** What is measured of a record; undefined where it has none. */
type Measure = (record: AuditRecord) => number | undefined;

const inside =
  (variant: Variant): Measure =>
  record =>
    record.inside[variant];
const minus =
  (a: Measure, b: Measure): Measure =>
  record => {
    const [x, y] = [a(record), b(record)];
    return x === undefined || y === undefined ? undefined : x - y;
  };
const rightly =
  (variant: 'denied' | 'mirrored' | 'shuffled'): Measure =>
  ({ cosine }) =>
    cosine[variant] === undefined ? undefined : cosine.phrase! > cosine[variant] ? 1 : cosine.phrase === cosine[variant] ? 0.5 : 0;
const area: Measure = ({ area }) => area;

/** All measures, in the order of tables. Names are those of results.json. */
export const MEASURES: Readonly<Record<string, Measure>> = {
  inside: inside('phrase'),
  area,
  'inside-centre': inside('centre'),
  'inside-randomised': inside('randomised'),
  'inside-shuffled': inside('shuffled'),
  'inside-denied': inside('denied'),
  'inside-mirrored': inside('mirrored'),
  'inside-ensemble': inside('ensemble'),
  pointing: ({ pointing }) => pointing ?? undefined,
  iou: ({ iou }) => iou ?? undefined,
  'iou-area': ({ iouArea }) => iouArea ?? undefined,
  'beyond-area': minus(inside('phrase'), area),
  'beyond-centre': minus(inside('phrase'), inside('centre')),
  'beyond-randomised': minus(inside('phrase'), inside('randomised')),
  'beyond-shuffled': minus(inside('phrase'), inside('shuffled')),
  'beyond-denied': minus(inside('phrase'), inside('denied')),
  'beyond-mirrored': minus(inside('phrase'), inside('mirrored')),
  'beyond-ensemble': minus(inside('phrase'), inside('ensemble')),
  'said-rather-than-denied': rightly('denied'),
  'said-rather-than-mirrored': rightly('mirrored'),
  'said-rather-than-shuffled': rightly('shuffled'),
  'like-denied': ({ like }) => like.denied,
  'like-mirrored': ({ like }) => like.mirrored,
  'like-shuffled': ({ like }) => like.shuffled,
  'like-ensemble': ({ like }) => like.ensemble,
  'like-randomised': ({ like }) => like.randomised,
  total: ({ total }) => total,
};

/** Mean over records; pictures are resampled, since findings of one picture share it. Undefined where no record has it. */
export function figureOf(records: readonly AuditRecord[], measure: Measure, seed: number): AuditFigure | undefined {
  const byPicture = new Map<string, number[]>();
  for (const record of records) {
    const value = measure(record);
    if (value !== undefined && Number.isFinite(value)) byPicture.set(record.image, [...(byPicture.get(record.image) ?? []), value]);
  }
  const clusters = [...byPicture.values()];
  if (clusters.length === 0) return undefined;
  const mean = (items: number[][]): number => {
    let [sum, n] = [0, 0];
    for (const item of items)
      for (const v of item) {
        sum += v;
        n++;
      }
    return sum / n;
  };
  const { estimate, low, high } = bootstrap(clusters, mean, { random: new RandomStream(seed, 'audit.bootstrap') });
  return { mean: estimate, low, high, n: clusters.reduce((sum, c) => sum + c.length, 0), pictures: clusters.length };
}

/** Figures of all findings, then of each class. */
export function summarise(records: readonly AuditRecord[], seed: number): AuditSummary[] {
  const labels = [...new Set(records.map(({ label }) => label))].sort();
  const groups = [
    ['all findings', records] as const,
    ...labels.map(label => [label, records.filter(record => record.label === label)] as const),
  ];
  return groups.map(([label, group]) => ({
    label,
    findings: group.length,
    figures: Object.fromEntries(
      Object.entries(MEASURES).flatMap(([name, measure]) => {
        const figure = figureOf(group, measure, seed);
        return figure ? [[name, figure]] : [];
      }),
    ),
  }));
}
