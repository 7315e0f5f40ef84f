/** @file Flags made from a zod schema, so that an option is declared once: its type, range, default and help all come from the schema. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { NarrowsError } from '../system/errors.ts';
import { parsePlain } from '../system/json-depth.ts';
import { didYouMean } from '../system/nearest-names.ts';
import type { Context } from './command.ts';
import { camel, kebab } from './flags.ts';
import { formatTable } from './table.ts';

interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly anyOf?: readonly Property[];
  readonly items?: Property;
}

/** The properties of an object schema as JSON Schema has them. */
export function propertiesOf(schema: z.ZodObject): Readonly<Record<string, Property>> {
  return (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { properties: Record<string, Property> }).properties;
}

const isNumeric = (p: Property): boolean => p.type === 'number' || p.type === 'integer';

/** Names between brackets longer than this go to the help's right column. */
const LONGEST_LIST = 16;

/** What stands in the angle brackets. */
function placeholder(p: Property): string {
  if (p.anyOf) return p.anyOf.map(placeholder).join('|');
  if (p.const !== undefined) return String(p.const);
  if (p.enum) return p.enum.join('|').length > LONGEST_LIST ? 'name' : p.enum.join('|');
  if (p.type === 'array') return p.items?.type === 'object' ? 'json' : 'list';
  return isNumeric(p) ? 'n' : 'text';
}

/** What may stand there, and which of it was meant, if that can be guessed. */
const wordsClause = (text: string, words: readonly unknown[], before: readonly string[] = []): string => {
  const near = didYouMean(text, words.map(String));
  const all = [...before, ...words];
  return `give ${all.length > 1 && before.length === 0 ? 'one of ' : ''}${all.join(before.length ? ' or ' : ', ')}${near ? `; ${near}` : ''}`;
};

/** Text to the raw value that the schema then checks. Only what the schema could not phrase well is refused here. */
function reader(p: Property): (text: string) => unknown {
  const numeric = (text: string): unknown => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text);
  if (p.anyOf) {
    return text => {
      const value = p.anyOf?.some(isNumeric) ? numeric(text) : text;
      const words = p.anyOf?.flatMap(one => (one.const !== undefined ? [one.const] : (one.enum ?? []))) ?? [];
      if (typeof value === 'string' && !words.includes(value) && !p.anyOf?.some(one => one.type === 'string' && !one.const && !one.enum))
        throw new InvalidArgumentError(wordsClause(value, words, p.anyOf?.some(isNumeric) ? ['a number'] : []));
      return value;
    };
  }
  if (isNumeric(p)) {
    return text => {
      const value = numeric(text);
      if (typeof value !== 'number') throw new InvalidArgumentError('give a number');
      return value;
    };
  }
  const words = p.enum ?? (p.const !== undefined ? [p.const] : undefined);
  if (words) {
    return text => {
      if (!words.includes(text)) throw new InvalidArgumentError(wordsClause(text, words));
      return text;
    };
  }
  if (p.type === 'array' && p.items?.type !== 'object')
    return text =>
      text
        .split(',')
        .map(part => part.trim())
        .filter(Boolean);
  if (p.type === 'array' || p.type === 'object') {
    return text => {
      try {
        return parsePlain(text);
      } catch {
        throw new InvalidArgumentError('give JSON');
      }
    };
  }
  return text => text;
}

const shown = (value: unknown): string =>
  value === undefined || (Array.isArray(value) && value.length === 0)
    ? ''
    : ` (default: ${Array.isArray(value) ? value.join(',') : value})`;

/**
 * Adds a flag for every key of a schema. Flags carry no default: unset ones stay out of the options, and the schema fills them in.
 * @param skip keys that the frame or the command declares itself
 */
export function addSchemaFlags(command: Command, schema: z.ZodObject, group: string, skip: ReadonlySet<string> = new Set()): void {
  const taken = new Set(command.options.map(option => option.attributeName()));
  for (const [key, property] of Object.entries(propertiesOf(schema))) {
    if (skip.has(key) || taken.has(camel(key))) continue;
    const names = property.enum && placeholder(property) === 'name' ? ` (one of ${property.enum.join(', ')})` : '';
    const help = `${property.description ?? ''}${names}${shown(property.default)}`.trim();
    const flag = `--${kebab(key)}`;
    if (property.type === 'boolean') {
      command.addOption(new Option(flag, help).helpGroup(group));
      // Commander would make `--no-x` without `--x` default to true.
      command.addOption(
        new Option(`--no-${kebab(key)}`, 'turn that off')
          .default(undefined)
          .helpGroup(group)
          .hideHelp(property.default !== true),
      );
    } else command.addOption(new Option(`${flag} <${placeholder(property)}>`, help).argParser(reader(property)).helpGroup(group));
  }
}

/** The values of a schema's keys among the options, under the schema's own names; unset ones are left out. */
export function schemaValues(schema: z.ZodObject, options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const found = Object.keys(schema.shape).map(key => [key, options[camel(key)]] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

/** Prints options as a table, where there are any. */
export function printOptions(context: Pick<Context, 'print' | 'columns'>, options: readonly OptionRow[]): void {
  if (options.length === 0) return;
  const rows = options.map(o => [o.flag, o.default, o.help]);
  context.print(`\n${formatTable(['option', 'default', 'meaning'], rows, context.columns)}`);
}

const typeText = ({ type, enum: words, const: word, anyOf, items }: Property): string =>
  JSON.stringify([isNumeric({ type }) ? 'number' : type, words, word, anyOf?.map(typeText), items && typeText(items)]);

/** An option as a table shows it. */
export interface OptionRow {
  readonly name: string;
  readonly flag: string;
  readonly default: string;
  readonly help: string;
}

/** The keys of a schema for people: flag with its type, default, help. */
export const describeOptions = (schema: z.ZodObject): OptionRow[] =>
  Object.entries(propertiesOf(schema)).map(([name, property]) => {
    const words = property.enum && placeholder(property) === 'name' ? ` (one of ${property.enum.join(', ')})` : '';
    return {
      name,
      flag: property.type === 'boolean' ? `--${kebab(name)}` : `--${kebab(name)} <${placeholder(property)}>`,
      default:
        property.default === undefined ? '' : Array.isArray(property.default) ? property.default.join(',') : String(property.default),
      help: `${property.description ?? ''}${words}`,
    };
  });

/** The entries whose schema has a flag that `addChosenFlags` declared. */
export interface FlagOwners {
  /** Whether the entry that the call chooses is among them; undefined where it is not known. */
  isChosen(): boolean | undefined;
  /** Their names, a few of many. */
  text(): string;
  /** Reads a value strictly; undefined where the entries do not agree on its type. */
  readonly read?: (text: string) => unknown;
}

const declared = new WeakMap<Option, FlagOwners>();

/** Whose flag it is; undefined for one that `addChosenFlags` did not declare. */
export const ownersOf = (option: Option): FlagOwners | undefined => declared.get(option);

/** A few names of many. */
export const someNames = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 4).join(', ')} and others` : names.join(', ');

/**
 * Adds the flags of several schemas of which a call uses one: keys that stand in many are one flag, read by the schema that the call chose
 * (`chosenValues`). The help lists only that schema's flags.
 * @param choose the entry that the options parsed so far choose
 */
export function addChosenFlags<E extends { readonly name: string; readonly schema: z.ZodObject }>(
  command: Command,
  entries: readonly E[],
  choose: () => E | undefined,
): void {
  const taken = new Set(command.options.map(option => option.attributeName()));
  for (const entry of entries) {
    for (const [key, property] of Object.entries(propertiesOf(entry.schema))) {
      if (taken.has(camel(key))) continue;
      taken.add(camel(key));
      const having = entries.filter(e => key in e.schema.shape);
      const agreed = having.every(e => typeText(propertiesOf(e.schema)[key]) === typeText(property));
      const owners: FlagOwners = {
        isChosen: () => {
          const entry = choose();
          return entry && having.includes(entry);
        },
        text: () => someNames(having.map(e => e.name)),
        read: agreed && property.type !== 'boolean' ? reader(property) : undefined,
      };
      const options =
        property.type === 'boolean'
          ? [new Option(`--${kebab(key)}`), new Option(`--no-${kebab(key)}`).default(undefined)]
          : [new Option(`--${kebab(key)} <value>`)];
      for (const option of options) {
        declared.set(option, owners);
        // On the command line the entry may be named behind the flag: a value that is none is kept as it is, for `chosenValues` to refuse once
        // it is known whether the entry has the flag at all.
        if (owners.read) option.argParser(text => lenient(owners.read!, text));
        command.addOption(option.hideHelp());
      }
    }
  }
  command.addHelpText('after', () => {
    const entry = choose();
    if (!entry) return '';
    const one = new Command().helpOption(false).configureHelp(command.configureHelp());
    addSchemaFlags(one, entry.schema, `Options of ${entry.name}:`);
    const text = one.helpInformation();
    const at = text.indexOf('Options of ');
    return at < 0 ? `\n${entry.name} has no options.\n` : `\n${text.slice(at)}`;
  });
}

function lenient(read: (text: string) => unknown, text: string): unknown {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return text;
    throw error;
  }
}

/**
 * The values of one schema's keys among options that `addChosenFlags` declared; unset ones are left out.
 * @throws NarrowsError for a text that the key's type cannot be
 */
export function chosenValues(schema: z.ZodObject, options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const properties = propertiesOf(schema);
  const values = schemaValues(schema, options);
  for (const [key, value] of Object.entries(values)) {
    if (typeof value !== 'string') continue;
    try {
      values[key] = reader(properties[key])(value);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new NarrowsError(`--${kebab(key)} cannot be ${JSON.stringify(value)}: ${error.message}.`, { kind: 'usage' });
    }
  }
  return values;
}
