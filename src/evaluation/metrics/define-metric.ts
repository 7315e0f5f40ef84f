/** @file A metric of one's own: only what makes it a metric must be given, the rest of the entry is filled in and checked. */
import { z } from 'zod';
import { checkDefinition, entryName, optionsSchema } from '../../attribution/define-method.ts';
import { CATEGORIES, type MetricEntry, NEEDS, type Need } from './metric.ts';

/** What a metric needs at the least. */
export type MetricDefinition<O = Record<string, unknown>> = Pick<MetricEntry<O>, 'name' | 'direction' | 'evaluate'> &
  Partial<MetricEntry<O>>;

const definition = z.looseObject({
  name: entryName,
  title: z.string().min(1).optional(),
  category: z.enum(CATEGORIES).optional(),
  modalities: z
    .array(z.enum(['image', 'text']))
    .min(1)
    .optional(),
  direction: z.enum(['higher', 'lower', 'none']),
  needs: z.array(z.enum(Object.keys(NEEDS) as [Need, ...Need[]])).optional(),
  schema: optionsSchema.optional(),
  evaluate: z.custom<MetricEntry['evaluate']>(value => typeof value === 'function', 'evaluate must be a function'),
});

/**
 * A whole entry from what is particular to a metric. Defaults: judges maps of both modalities by the map only, without options, in the
 * category `complexity`.
 * @throws NarrowsError for a part that is wrong
 * @example
 * const largest = defineMetric({ name: 'largest', direction: 'none', evaluate: ({ map }) => Math.max(...map) });
 */
export function defineMetric<O = Record<string, unknown>>(given: MetricDefinition<O>): MetricEntry<O> {
  checkDefinition(definition, given, 'metric');
  return {
    title: given.name,
    category: 'complexity',
    modalities: ['image', 'text'],
    unit: 'score',
    reading: 'A metric of your own.',
    source: 'not said',
    needs: [],
    schema: z.strictObject({}),
    ...given,
  };
}
