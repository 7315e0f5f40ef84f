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
/** What methods are held against: the default. */
const DEFAULT = 'm2ib';
/** What M2IB's settings are held against: ten noisy steps, as they have. */
const REFERENCE = 'm2ib, layer -1';
/** Fewer values give no interval worth reading. */
const LEAST = 3;

const interval = ({ estimate, low, high }: Estimate): string =>
  `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`.replaceAll('-', '−');
const shown = (values: readonly number[]): string => (values.length < LEAST ? '' : interval(bootstrap(values, mean, { random })));
const show = (values: readonly number[]): string => (values.length < LEAST ? '' : `${shown(values)} (${values.length})`);

/** Numbers of a question's figures; what is not defined is missing. */
type Values = ReadonlyMap<number, number>;

function valuesOf(study: Study, kind: string, name: string, column: string, keys: readonly number[]): Values {
  const out = new Map<number, number>();
  for (const key of keys) {
    const value = study.done([kind, key, name])?.[column] ?? (kind === 'map' ? study.done(['worth', key, name])?.[column] : undefined);
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

/** A column of the tables: the cells' kind, the figure, and its heading. */
type Column = readonly [kind: string, figure: string, heading: string];
const [ENERGY, POINTING] = LOCATED;
const PLACE: readonly Column[] = [
  ['map', ENERGY, 'energy ↑'],
  ['map', POINTING, 'pointing ↑'],
];
const SHARE: Column = ['map', 'image share', 'image share'];
const WORTH: readonly Column[] = FAITHFUL.map(name => ['map', name, `${name} ${name === 'deletion' ? '↓' : '↑'}`]);
const OTHER: readonly Column[] = AGAIN.map(name => ['again', name, 'other question ↓']);
const SANE: readonly Column[] = SANITY.map(name => ['sanity', name, name === 'parameter-randomisation' ? 'parameters ↓' : name]);
/** Of M2IB on other layers and with other settings. */
const isSetting = (name: string): boolean => name.startsWith('m2ib, ') && name !== REFERENCE;

/** Every map by every metric, each less the default on the same questions, M2IB's settings, and what is left of maps of other parameters. */
export function mapTables(study: Study, list: readonly Variant[]): string[] {
  const keys = askedKeys(study);
  const names = list.map(({ name }) => name);
  const values = (kind: string, name: string, figure: string) => valuesOf(study, kind, name, figure, keys);
  const cost = (name: string): string => {
    const ms = [...values('map', name, 'ms').values()].sort((a, b) => a - b);
    return ms.length ? ms[ms.length >> 1].toFixed(0) : '';
  };
  const table = (
    title: string,
    rows: readonly string[],
    columns: readonly Column[],
    { less, time = false }: { readonly less?: string; readonly time?: boolean } = {},
  ): string[] => {
    const head = ['map', 'n', ...columns.map(([, , heading]) => heading), ...(time ? ['CPU ms'] : [])];
    const lines = rows.flatMap(name => {
      const cells = columns.map(([kind, figure]) => {
        const own = values(kind, name, figure);
        return less ? differences(own, values(kind, less, figure)) : [...own.values()];
      });
      const counts = cells.map(({ length }) => length).filter(length => length >= LEAST);
      if (counts.length === 0) return [];
      const [least, most] = [Math.min(...counts), Math.max(...counts)];
      const n = least === most ? String(most) : `${least}–${most}`;
      return [`| ${[name, n, ...cells.map(shown), ...(time ? [cost(name)] : [])].join(' | ')} |`];
    });
    return [`## ${title}`, '', `| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines, ''];
  };
  const [methods, settings] = [names.filter(name => !isSetting(name)), names.filter(isSetting)];
  return [
    ...table('Where maps lie', methods, [...PLACE, SHARE], { time: true }),
    ...table('What maps are worth', methods, [...WORTH, ...OTHER]),
    ...table(
      `Less ${DEFAULT}, on the same questions`,
      methods.filter(name => name !== DEFAULT),
      [...PLACE, ...WORTH, ...OTHER],
      { less: DEFAULT },
    ),
    ...table("M2IB's settings", [REFERENCE, ...settings], [...PLACE, ...WORTH, ...OTHER, SHARE], { time: true }),
    ...table(`Settings less ${REFERENCE}, on the same questions`, settings, [...PLACE, ...WORTH, ...OTHER], { less: REFERENCE }),
    ...table('Parameters drawn again', names, SANE),
  ];
}

/** What figures of grounding are called. */
const CALLED: Readonly<Record<string, string>> = {
  image: 'mass on the picture',
  imageShare: 'share of the picture in picture and question',
  peak: 'largest patch',
  concentration: 'share on the four strongest patches',
  strongest: 'mass on the strongest thing (boxes known)',
  strongestShare: 'share on the strongest thing (boxes known)',
  asked: 'mass on the thing asked for',
  askedShare: 'share on the thing asked for',
};

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
    [...PREDICTORS, 'strongest', 'strongestShare'].map(key => ({
      name: `${name}: ${CALLED[key]}`,
      scores: scored(one => one.cells[a][key]),
    })),
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
      return `| ${name}: ${CALLED[key]} | ${show(of(true))} | ${show(of(false))} |`;
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
        { name: `${AUDITORS[0].name}: mass on the picture`, scores: scored(one => one.cells[0].image, split) },
      ].map(({ name, scores }) => `| *${split}* things only: ${name} | ${areaOf(scores)} | | |`),
    ),
    '',
    '| mass | right | invented |',
    '|---|---|---|',
    ...masses,
    '',
  ];
}
