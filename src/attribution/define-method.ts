/** @file A method of one's own: only what makes it a method must be given, the rest of the entry is filled in and checked. */
import { z } from 'zod';
import { NarrowsError } from '../system/errors.ts';
import { FAMILIES, type MethodEntry } from './method.ts';

/** What a method needs at the least. */
export type MethodDefinition<O = Record<string, unknown>> = Pick<MethodEntry<O>, 'name' | 'explain'> & Partial<MethodEntry<O>>;

/** Names as the command line takes them. */
export const entryName = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and single hyphens make a name');

/** An object schema, whichever copy of zod made it. */
export const optionsSchema = z.custom<z.ZodObject>(
  value => typeof value === 'object' && value !== null && 'shape' in value && 'safeParse' in value,
  'the schema must be a zod object (z.object or z.strictObject)',
);

const definition = z.looseObject({
  name: entryName.refine(name => name !== 'auto', '"auto" means the recommended method'),
  title: z.string().min(1).optional(),
  family: z.enum(FAMILIES).optional(),
  modalities: z
    .array(z.enum(['image', 'text']))
    .min(1)
    .optional(),
  schema: optionsSchema.optional(),
  cost: z.string().optional(),
  paper: z.string().optional(),
  unit: z.enum(['nats', 'score']).optional(),
  signed: z.boolean().optional(),
  sampled: z.boolean().optional(),
  explain: z.custom<MethodEntry['explain']>(value => typeof value === 'function', 'explain must be a function'),
});

/** Checks an entry against `schema`. @throws NarrowsError naming the entry and the part that is wrong */
export function checkDefinition(schema: z.ZodType, given: unknown, what: string): void {
  const result = schema.safeParse(given);
  if (result.success) return;
  const { path, message } = result.error.issues[0];
  const name = (given as { name?: unknown } | null)?.name;
  throw new NarrowsError(
    `The ${what} ${typeof name === 'string' ? `"${name}" ` : ''}cannot be used: ${path.length ? `${path.join('.')}: ` : ''}${message}.`,
  );
}

/**
 * A whole entry from what is particular to a method. Defaults: a score of both modalities without options, unsigned, not sampled, of the
 * family `external`.
 * @throws NarrowsError for a part that is wrong
 * @example
 * const corner = defineMethod({
 *   name: 'corner',
 *   modalities: ['image'],
 *   explain: async run => ({ image: run.image.players.map(([first]) => ({ tokens: new Float32Array(run.image.tokens).fill(1, first, first + 1) })) }),
 * });
 */
export function defineMethod<O = Record<string, unknown>>(given: MethodDefinition<O>): MethodEntry<O> {
  checkDefinition(definition, given, 'method');
  return {
    title: given.name,
    family: 'external',
    serves: 'pair',
    modalities: ['image', 'text'],
    schema: z.strictObject({}),
    cost: 'not said',
    paper: 'not said',
    unit: 'score',
    signed: false,
    sampled: false,
    ...given,
  };
}
