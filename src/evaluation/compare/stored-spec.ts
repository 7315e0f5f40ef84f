/** @file `comparison.json`: the settings of a comparison as its directory keeps them. */
import { z } from 'zod';
import { readJson } from '../../checkpoints/disk.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { issueText } from '../../system/issue-text.ts';
import type { CompareSpec } from './settings.ts';

/** File with a comparison's settings, in its directory. */
export const SPEC_FILE = 'comparison.json';

const whole = z.int().nonnegative();
const seed = z.int();
const choice = z.looseObject({
  label: z.string(),
  name: z.string(),
  options: z.record(z.string(), z.unknown()),
  pairs: whole.optional(),
  seeds: whole.optional(),
});
const common = { modalities: z.array(z.enum(['image', 'text'])).min(1), seed, pictures: z.looseObject({}).optional() };
const listed = { file: z.string(), images: z.string().optional(), template: z.string(), samples: whole.optional() };
const data = z.discriminatedUnion('kind', [
  z.looseObject({
    ...common,
    kind: z.literal('scenes'),
    groups: z.array(z.object({ name: z.string(), styles: z.array(z.string()) })).min(1),
    samples: whole,
  }),
  z.looseObject({ ...common, kind: z.literal('coco'), ...listed }),
  z.looseObject({ ...common, kind: z.literal('truth'), ...listed, form: z.string().optional() }),
  z.looseObject({ ...common, kind: z.literal('jsonl'), file: z.string(), samples: whole.optional() }),
]);
const schema = z.looseObject({
  plugins: z.array(z.string()).optional(),
  maps: z.string().optional(),
  model: z.string(),
  methods: z.array(choice).min(1),
  metrics: z.array(choice).min(1),
  data,
  seed,
  seeds: whole,
  imageSize: whole.optional(),
  maxMemory: z.number().positive().optional(),
  robustnessSamples: whole,
  robustnessPasses: z.number().nonnegative(),
});

/**
 * The settings of the comparison in a directory, which takes that place wherever it was written.
 * @throws NarrowsError (usage) where there is none; where the file cannot be read, or was changed into something else
 */
export async function readSpec(directory: string): Promise<CompareSpec> {
  const path = join(directory, SPEC_FILE);
  const json = await readJson(path).catch(error => {
    if ((error as { cause?: { code?: string } }).cause?.code !== 'ENOENT') throw error;
    throw new NarrowsError(`${directory} holds no comparison (no ${SPEC_FILE}); run narrows compare without --report-only first.`, {
      kind: 'usage',
      cause: error,
    });
  });
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ...parsed.data, directory } as CompareSpec;
  const [issue] = parsed.error.issues;
  const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new NarrowsError(
    `${path} holds no settings of a comparison any more: ${at}${issueText(issue, json)}. Run narrows compare with its flags and this output again.`,
  );
}
