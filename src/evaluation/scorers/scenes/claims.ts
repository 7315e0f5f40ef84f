/** @file What an answer says of a drawn scene: things, a number, colours, places. */
import { COLOR_NAMES } from '../../../scenes/background.ts';
import { CONCEPTS } from '../../../scenes/concepts.ts';
import { Mentions } from '../chair/mentions.ts';

const NUMBERS = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen'.split(' ');
/** Words for the sides of a picture. */
const SIDES = {
  top: ['top', 'upper', 'above'],
  bottom: ['bottom', 'lower', 'below', 'under', 'beneath'],
  left: ['left'],
  right: ['right'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A name that is a plural is also known by its singular: some grapes, a grape. */
const THINGS = new Mentions(
  Object.fromEntries(
    CONCEPTS.map(({ name, article }) => [name, article === 'some' && /[^s]s$/.test(name) ? [name, name.slice(0, -1)] : [name]]),
  ),
);

/** A side of the picture. */
export type Side = keyof typeof SIDES;

/** What an answer says. */
export interface Claims {
  /** Things by their names in captions, in the order in which they are named, each once. */
  readonly things: readonly string[];
  /** The first number. */
  readonly number?: number;
  readonly colours: readonly string[];
  readonly sides: readonly Side[];
}

/** Reads an answer; nothing is taken for meant that is not said. Colours and numbers within a name (a red apple, an eight ball) are the name's. */
export function claimsOf(answer: string): Claims {
  const { things, rest } = THINGS.read(answer);
  const said = rest.find(word => NUMBERS.includes(word) || /^\d{1,3}$/.test(word));
  const number = said === undefined ? undefined : NUMBERS.includes(said) ? NUMBERS.indexOf(said) : Number(said);
  return {
    things: [...new Set(things)],
    ...(number === undefined ? {} : { number }),
    colours: COLOR_NAMES.filter(colour => rest.includes(colour)),
    sides: (Object.keys(SIDES) as Side[]).filter(side => SIDES[side].some(word => rest.includes(word))),
  };
}
