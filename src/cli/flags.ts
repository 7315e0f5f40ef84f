/** @file Parsers of flag values, for commander: a wrong value is one clause that says what may stand there. */
import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../system/nearest-names.ts';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A finite number in a range, ends included. */
export const number =
  (low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY) =>
  (text: string): number => {
    const value = NUMBER.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high) || !Number.isFinite(value)) throw new InvalidArgumentError(`give a number${range(low, high)}`);
    return value;
  };

/** A whole number in a range, ends included. */
export const integer =
  (low = Number.MIN_SAFE_INTEGER, high = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    // Only to a number that is out of it the end of JavaScript's whole numbers means something.
    const ends = value > high ? ` from ${low} to ${high}` : range(low, high);
    if (!(value >= low && value <= high)) throw new InvalidArgumentError(`give a whole number${ends}`);
    return value;
  };

/** Gathers the values of a flag that may be repeated. */
export const collect = (text: string, list: readonly string[] | undefined): string[] => [...(list ?? []), text];

/** Names between commas. */
export const list = (text: string): string[] => {
  const names = text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean);
  if (names.length === 0) throw new InvalidArgumentError('give names separated by commas');
  return names;
};

/** Texts between semicolons: captions may hold commas. */
export const parts = (text: string): string[] => {
  const found = text
    .split(';')
    .map(part => part.trim())
    .filter(Boolean);
  if (found.length === 0) throw new InvalidArgumentError('give texts separated by semicolons');
  return found;
};

/** Names and values between commas: `question=q,answer=gold`. */
export const fieldPairs = (text: string): Record<string, string> => {
  const pairs = text.split(',').map(pair => /^\s*([^=\s]+)\s*=(.+)$/.exec(pair));
  if (pairs.includes(null)) throw new InvalidArgumentError('give pairs such as question=q,answer=gold');
  return Object.fromEntries((pairs as RegExpExecArray[]).map(([, name, value]) => [name, value.trim()]));
};

/** A size in bytes, such as 256MB, 1.5GB or 1GiB. */
export const memory = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg])?(i?b)?$/i.exec(text.trim());
  const bytes = match ? Number(match[1]) * 1024 ** ' kmg'.indexOf((match[2] ?? ' ').toLowerCase()) : 0;
  if (!(bytes >= 2 ** 20)) throw new InvalidArgumentError('give a size of at least 1MB, such as 256MB or 2GB');
  return Math.floor(bytes);
};

/** One of many names; a wrong one is answered with those that are near. */
export const nameAmong =
  (names: () => readonly string[], what: string) =>
  (text: string): string => {
    const all = names();
    if (all.includes(text)) return text;
    const near = didYouMean(text, all);
    throw new InvalidArgumentError(near ? `there is no such ${what}; ${near}` : `give one of ${all.join(', ')}`);
  };

function range(low: number, high: number): string {
  const from = Number.isFinite(low) && low > Number.MIN_SAFE_INTEGER;
  const to = Number.isFinite(high) && high < Number.MAX_SAFE_INTEGER;
  return from && to ? ` from ${low} to ${high}` : from ? ` of at least ${low}` : to ? ` of at most ${high}` : '';
}

/** `learningRate` or `learning_rate` as a flag's name: `learning-rate`. */
export const kebab = (name: string): string => name.replace(/_/g, '-').replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);

/** `learningRate` or `learning-rate` as a key of Hugging Face's files: `learning_rate`. */
export const snake = (name: string): string => kebab(name).replaceAll('-', '_');

/** `learning_rate` or `learning-rate` as an option's name: `learningRate`. */
export const camel = (name: string): string => name.replace(/[-_]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Lines of examples for the end of a command's help. */
export const examples = (...lines: readonly (readonly [string, string])[]): string =>
  `\nExamples:\n${lines.map(([command, what]) => `  ${what}:\n    $ ${command}`).join('\n')}\n`;
