/** @file `scenes-open@rules`: a judge that knows the truth of a drawn scene. Right or wrong is decided by rules, not by a model. */
import { CONCEPTS } from '../../../scenes/concepts.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { Question } from '../../benchmarks/question.ts';
import type { SceneTruth } from '../../benchmarks/scenes/truth.ts';
import type { Figures, Reading, ScoredAnswer, Scorer } from '../scorer.ts';
import { byGroup, categoryOf, type Group, meanOf, ratio } from '../summaries/groups.ts';
import { type Claims, claimsOf, type Side } from './claims.ts';

/** What is asked, what is true, and what the true answer is. */
interface Truth {
  readonly task: string;
  readonly reference: string;
  readonly truth: SceneTruth;
}

const QUARTER = /^(top|bottom) (left|right)$/;
const OPPOSITE: Readonly<Record<Side, Side>> = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' };

function truthOf({ facts, key }: Question): Truth {
  const { task, reference, truth } = facts as Partial<Truth>;
  if (task !== undefined && reference !== undefined && truth !== undefined) return { task, reference, truth };
  throw new NarrowsError(
    `scenes-open@rules needs the truth of a drawn scene, which question ${key} does not have; it is for scenes-open only.`,
    { kind: 'usage' },
  );
}

/** Sides that the reference names: `top left`, or `above` as the top. */
const sidesOf = (reference: string): readonly Side[] => claimsOf(reference).sides;

/** The share of the sides that are said, and not with their opposites. */
const sidesRight = ({ sides }: Claims, right: readonly Side[]): number =>
  meanOf(right.map(side => (sides.includes(side) && !sides.includes(OPPOSITE[side]) ? 1 : 0)));

/** Things and the background's colour as one set of facts: F1 of what is said against what is there. */
function describedWell({ things, colours }: Claims, { things: there, background }: SceneTruth): number {
  const names = new Set(there.map(thing => thing.name));
  const right = things.filter(name => names.has(name)).length + (colours.includes(background) ? 1 : 0);
  return ratio(2 * right, things.length + colours.length + names.size + 1);
}

/** The thing that the true answer names. */
const thingOf = (reference: string): string =>
  claimsOf(reference).things[0] ?? CONCEPTS.find(one => reference.includes(one.name))?.name ?? reference;

/** How right the answer is to what was asked, from 0 to 1. */
function markOf(claims: Claims, { task, reference, truth }: Truth): number {
  switch (task) {
    case 'count':
      return claims.number === truth.count ? 1 : 0;
    case 'color':
      return claims.colours.length === 1 && claims.colours[0] === truth.background ? 1 : 0;
    case 'position':
      return sidesRight(claims, sidesOf(reference));
    case 'caption':
      return describedWell(claims, truth);
    default:
      // Of two things the one that is named first is meant: "the dog is larger than the cat".
      return claims.things[0] === thingOf(reference) ? 1 : 0;
  }
}

/** Whether anything was said that this task asks for. */
const isRead = ({ things, number, colours, sides }: Claims, task: string): boolean =>
  ({ count: number !== undefined, color: colours.length > 0, position: sides.length > 0, caption: things.length + colours.length > 0 })[
    task
  ] ?? things.length > 0;

const written = ({ things, number, colours, sides }: Claims): string =>
  [...things, ...(number === undefined ? [] : [String(number)]), ...colours, ...sides].join(', ');

function read(answer: string, question: Question): Reading {
  const facts = truthOf(question);
  const claims = claimsOf(answer);
  const there = new Set(facts.truth.things.map(thing => thing.name));
  const named = claims.things.filter(name => there.has(name)).length;
  const described: Record<string, number> = facts.task === 'caption' ? { things: there.size, named, missed: there.size - named } : {};
  const mark = markOf(claims, facts);
  const aspect = { count: 'count', color: 'colour', position: QUARTER.test(facts.reference) ? 'place' : 'relation' }[facts.task];
  return {
    value: isRead(claims, facts.task) ? written(claims) : null,
    correct: mark,
    parts: { ...described, said: claims.things.length, invented: claims.things.length - named, ...(aspect ? { [aspect]: mark } : {}) },
  };
}

const sumOf = (rows: readonly ScoredAnswer[], part: string): number => rows.reduce((sum, row) => sum + (row.parts?.[part] ?? 0), 0);
const meanPart = (rows: readonly ScoredAnswer[], part: string): number =>
  meanOf(rows.flatMap(row => (row.parts?.[part] === undefined ? [] : [row.parts[part]])));

function figures({ rows, missing }: Group): Figures {
  return {
    mark: ratio(
      rows.reduce((sum, row) => sum + row.correct, 0),
      rows.length + missing.length,
    ),
    names_right: ratio(sumOf(rows, 'named'), sumOf(rows, 'things')),
    missed: ratio(sumOf(rows, 'missed'), sumOf(rows, 'things')),
    invented: ratio(sumOf(rows, 'invented'), sumOf(rows, 'said')),
    counts: meanPart(rows, 'count'),
    places: meanPart(rows, 'place'),
    relations: meanPart(rows, 'relation'),
    colours: meanPart(rows, 'colour'),
    unread: ratio(rows.filter(row => row.value === null).length, rows.length),
    n: rows.length + missing.length,
  };
}

/** The rule judge of `scenes-open`. */
export const scenesOpenRules: Scorer = {
  name: 'scenes-open@rules',
  summary:
    'Knows the scene: a description is marked by F1 over its things and its background, a count, colour, place, relation or name by whether it is right (half of a place is half right). Beside the mark: share of things named, missed and invented. Only names that captions use are known. A question without an answer is wrong.',
  source: 'Narrows: the truth is that of the drawn scene',
  kinds: ['open'],
  primary: 'mark',
  best: 1,
  missing: 'wrong',
  unlabelled: true,
  read,
  summarise(rows, missing) {
    const byCategory = byGroup(rows, missing, categoryOf, figures);
    // What a category does not ask for is left out of its line.
    const asked = (all: Figures): Figures => Object.fromEntries(Object.entries(all).filter(([, value]) => !Number.isNaN(value)));
    return {
      metrics: asked(figures({ rows: [...rows], missing: [...missing] })),
      byCategory: Object.fromEntries(Object.entries(byCategory).map(([category, all]) => [category, asked(all)])),
    };
  },
  tally: () => ({
    width: 2,
    sums: (rows, missing) => [rows.reduce((sum, row) => sum + row.correct, 0), rows.length + missing.length],
    figure: sums => ratio(sums[0], sums[1]),
  }),
};
