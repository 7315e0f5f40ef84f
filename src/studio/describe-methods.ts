/** @file The methods of the registry for the page: its controls are made from their schemas, as the command line's flags are. */
import { z } from 'zod';
import type { RegisteredMethod } from '../attribution/subject.ts';
import type { MethodInfo, OptionInfo } from './facts.ts';

/** What of JSON Schema stands in methods' options. */
interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly anyOf?: readonly Property[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

const isNumeric = ({ type }: Property): boolean => type === 'number' || type === 'integer';
const wordsOf = (p: Property): string[] => [...(p.enum ?? []), ...(p.const === undefined ? [] : [p.const])].map(String);

/** Bounds of a number; the ones that JSON Schema writes for every safe integer are none. */
function bounds({ minimum, maximum, exclusiveMinimum }: Property): Pick<OptionInfo, 'least' | 'most' | 'above'> {
  const least = exclusiveMinimum ?? minimum;
  return {
    ...(least === undefined || least <= Number.MIN_SAFE_INTEGER ? {} : { least }),
    ...(maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? {} : { most: maximum }),
    ...(exclusiveMinimum === undefined || exclusiveMinimum <= Number.MIN_SAFE_INTEGER ? {} : { above: true as const }),
  };
}

function shapeOf(p: Property): Pick<OptionInfo, 'kind' | 'least' | 'most' | 'above' | 'choices' | 'words'> {
  if (p.anyOf) {
    const number = p.anyOf.find(isNumeric);
    const words = p.anyOf.flatMap(wordsOf);
    if (number) return { ...shapeOf(number), ...(words.length ? { words } : {}) };
    return words.length ? { kind: 'choice', choices: words } : { kind: 'json' };
  }
  if (isNumeric(p)) return { kind: p.type as 'number' | 'integer', ...bounds(p) };
  if (p.type === 'boolean') return { kind: 'boolean' };
  const choices = wordsOf(p);
  if (choices.length) return { kind: 'choice', choices };
  return { kind: p.type === 'string' ? 'text' : 'json' };
}

/** The options of a schema, in its order. */
export function describeOptions(schema: z.ZodObject): OptionInfo[] {
  const { properties } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { properties: Record<string, Property> };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    help: property.description ?? '',
    ...shapeOf(property),
    ...(property.default === undefined ? {} : { default: property.default }),
  }));
}

/** A method as the page shows it. */
export function describeMethod(entry: RegisteredMethod): MethodInfo {
  const { name, title, family, serves, modalities, unit, signed, sampled, cost, paper, schema } = entry;
  return {
    ...{ name, title, family, serves, modalities, unit, signed, sampled, cost, paper },
    options: describeOptions(schema),
    ...(entry.serves === 'pair' && entry.answers ? { answers: { ...entry.answers.defaults?.({}) } } : {}),
  };
}
