/** @file Tables of what stands in the cells: means with 95 % intervals, differences question by question, areas under curves. */
import { foretells, foretellsMore, type ScoredAnswer } from '../../../src/evaluation/answers/grounding.ts';
import type { Question } from '../../../src/evaluation/benchmarks/question.ts';
import { RandomStream } from '../../../src/tensor/random.ts';
import { bootstrap, type Estimate } from '../../../src/tensor/statistics/bootstrap.ts';
import { mean } from '../../../src/tensor/statistics/descriptive.ts';
import { AGAIN, FAITHFUL, LOCATED, SANITY, type Variant } from './maps.ts';
import { AUDITORS, PREDICTORS, type Said } from './pope.ts';
import type { Figures, Study } from './study.ts';

const random = new RandomStream(20261129, 'evidence.bootstrap');
/** What others are held against. */
const REFERENCE = 'm2ib, layer -1';
/** Fewer values give no interval worth reading. */
const LEAST = 3;

const interval = ({ estimate, low, high }: Estimate): string =>
  `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`.replaceAll('-', '−');
const show = (values: readonly number[]): string =>
  values.length < LEAST ? '' : `${interval(bootstrap(values, mean, { random }))} (${values.length})`;

/** Numbers of a question's figures; what is not defined is missing. */
type Values = ReadonlyMap<number, number>;

function valuesOf(study: Study, kind: string, name: string, column: string, keys: readonly number[]): Values {
  const out = new Map<number, number>();
  for (const key of keys) {
    const value = study.done([kind, key, name])?.[column];
    if (typeof value === 'number') out.set(key, value);
  }
  return out;
}

/** Differences of questions that both have. */
const differences = (a: Values, b: Values): number[] => [...a].flatMap(([key, value]) => (b.has(key) ? [value - b.get(key)!] : []));

/** Questions that were asked and answered with yes, in order. */
function askedKeys(study: Study): number[] {
  const keys: number[] = [];
  for (let i = 0; ; i++) {
    const cell = study.done(['asked', i]);
    if (!cell) return keys;
    if (Number(cell.margin) > 0) keys.push(i);
  }
}

/** Every map by every metric, and each less the reference on the same questions. */
export function mapTables(study: Study, list: readonly Variant[]): string[] {
  const keys = askedKeys(study);
  const columns = [
    ...[...LOCATED, ...FAITHFUL].map(name => ['map', name] as const),
    ...AGAIN.map(name => ['again', name] as const),
    ...SANITY.map(name => ['sanity', name] as const),
    ['map', 'image share'] as const,
  ];
  const names = list.map(({ name }) => name);
  const head = [`| map | ${columns.map(([, name]) => name).join(' | ')} | CPU ms |`, `|---|${columns.map(() => '---|').join('')}---|`];
  const row = (name: string, cell: (kind: string, column: string) => string): string =>
    `| ${name} | ${columns.map(([kind, column]) => cell(kind, column)).join(' | ')} |`;
  const values = (kind: string, name: string, column: string) => valuesOf(study, kind, name, column, keys);
  const cost = (name: string): string => {
    const ms = [...values('map', name, 'ms').values()].sort((a, b) => a - b);
    return ms.length ? ms[ms.length >> 1].toFixed(0) : '';
  };
  return [
    '## Maps by metrics',
    '',
    ...head,
    ...names.map(name => `${row(name, (kind, column) => show([...values(kind, name, column).values()]))} ${cost(name)} |`),
    '',
    `## Less “${REFERENCE}” on the same questions`,
    '',
    ...head,
    ...names
      .filter(name => name !== REFERENCE)
      .map(name => `${row(name, (kind, column) => show(differences(values(kind, name, column), values(kind, REFERENCE, column))))} |`),
    '',
  ];
}

/** Areas under curves, and masses of right against invented answers; by split and over all. */
export function popeTables(study: Study, asked: readonly Question[], said: readonly Said[]): string[] {
  const known = asked.filter(({ id }) => study.done(['said', String(id)]));
  const wrong = known.filter(question => question.answers[0] === 'no');
  const explained = said.flatMap(one => {
    const cells = AUDITORS.map(({ name }) => study.done(['grounding', String(one.question.id), name]));
    return cells.every(cell => cell !== undefined) ? [{ ...one, cells: cells as Figures[] }] : [];
  });
  const scored = (of: (one: (typeof explained)[number]) => number | string | null | undefined, split?: string): ScoredAnswer[] =>
    explained
      .filter(one => split === undefined || one.question.split === split)
      .map(one => {
        const score = of(one);
        return { score: typeof score === 'number' ? score : Number.NaN, right: one.right, cluster: one.question.cluster };
      });
  const own = scored(one => one.logProbability);
  const rows = AUDITORS.flatMap(({ name }, a) =>
    [...PREDICTORS, 'strongest', 'strongestShare'].map(key => ({ name: `${name}: ${key}`, scores: scored(one => one.cells[a][key]) })),
  );
  const areaOf = (answers: readonly ScoredAnswer[]): string =>
    new Set(answers.map(({ right }) => right)).size < 2 ? '' : interval(foretells(answers, random));
  const turned = (answers: readonly ScoredAnswer[]): ScoredAnswer[] => answers.map(one => ({ ...one, score: -one.score }));
  const count = (right: boolean, split?: string): number =>
    explained.filter(one => one.right === right && (split === undefined || one.question.split === split)).length;
  const masses = AUDITORS.flatMap(({ name }, a) =>
    ['image', 'strongest', 'asked', 'askedShare'].map(key => {
      const of = (right: boolean): number[] =>
        explained.flatMap(one => (one.right === right && typeof one.cells[a][key] === 'number' ? [one.cells[a][key] as number] : []));
      return `| ${name}: ${key} | ${show(of(true))} | ${show(of(false))} |`;
    }),
  );
  return [
    '## Does grounding foretell invented things?',
    '',
    `${known.length} questions asked, ${wrong.length} of them about absent things, of which ${
      wrong.filter(({ id }) => Number(study.done(['said', String(id)])!.margin) > 0).length
    } were answered with yes. Explained: ${count(true)} right, ${count(false)} invented (${['random', 'popular', 'adversarial']
      .map(split => `${split}: ${count(true, split)} and ${count(false, split)}`)
      .join('; ')}).`,
    '',
    '| score, high for right answers | AUC | minus that of the own probability | the score turned round, minus that of the own probability |',
    '|---|---|---|---|',
    `| the answer's own log-probability | ${areaOf(own)} | | |`,
    ...rows.map(
      ({ name, scores }) =>
        `| ${name} | ${areaOf(scores)} | ${areaOf(scores) && [scores, turned(scores)].map(one => interval(foretellsMore(one, own, random))).join(' | ')} |`,
    ),
    ...['random', 'popular', 'adversarial'].flatMap(split =>
      [
        { name: `own log-probability`, scores: scored(one => one.logProbability, split) },
        { name: `${AUDITORS[0].name}: image`, scores: scored(one => one.cells[0].image, split) },
      ].map(({ name, scores }) => `| ${split} only, ${name} | ${areaOf(scores)} | |`),
    ),
    '',
    '| mass | right | invented |',
    '|---|---|---|',
    ...masses,
    '',
  ];
}
