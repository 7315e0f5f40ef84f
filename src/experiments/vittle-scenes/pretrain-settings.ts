/** @file Settings of the start that an experiment pre-trains: the recipe's parts (docs/training.md, a small LLaVA from scratch). */
import { z } from 'zod';

const count = z.number().int().positive().max(1_000_000);

/** Without defaults: an experiment that began before they were there goes on. */
export const recipeShape = {
  pretrain_tower: z
    .boolean()
    .optional()
    .describe(
      'The stage on patches trains the tower too, at a fifth of the rate: a tower that was trained on captions hardly holds where a thing is',
    ),
  pretrain_things: z
    .boolean()
    .optional()
    .describe('Patches say of their thing where its middle is, how large it is, and which patch its middle is, in place of where they are'),
  pretrain_patch_names: z
    .boolean()
    .optional()
    .describe('Patches choose among words of things and colours only, so that other words are not pushed away from them'),
  pretrain_scale: z
    .boolean()
    .optional()
    .describe('Behind the stage on patches words and patches are brought to one scale, and logits are softened by .7'),
  pretrain_sink: z
    .boolean()
    .optional()
    .describe('Behind the stage on patches all names get a share of one direction, which is <s>: what a name that finds no patch looks at'),
  pretrain_mark: z
    .boolean()
    .optional()
    .describe('All patches get a share of another direction, by which the matching head lets a name find its patch before it finds itself'),
  pretrain_matching_start: z
    .boolean()
    .optional()
    .describe('The decoder has three heads without shared keys, and starts with one that finds the patch of a word'),
  pretrain_group_rates: z
    .boolean()
    .optional()
    .describe(
      'Learning rates by groups: blocks × 2, of them the matching head × .1, table × .5, projector × .1, final norm × .3 (learns less, docs/training.md)',
    ),
  pretrain_existence_steps: count
    .optional()
    .describe('So many updates ask only whether a thing is there, of one to four things, before all questions are asked of four'),
  pretrain_caption_steps: count
    .optional()
    .describe(
      'So many updates more in the end have every scene described and its things listed, and weigh answers by their tokens: a description is many of them',
    ),
  pretrain_seed: z
    .number()
    .int()
    .nonnegative()
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Seed of the start: its weights and scenes; 0 by default'),
  pretrain_dtype: z
    .enum(['float32', 'float16'])
    .optional()
    .describe('Type of the weights that are stored in the end; they are trained in float32, which is the default'),
  pretrain_batch_size: count.max(65_536).optional().describe('Scenes of an update of pre-training; by default batch_size'),
  pretrain_warmup_steps: z.number().int().nonnegative().max(1_000_000).optional().describe('Of pre-training; 50 by default'),
  pretrain_fall: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Share of pre-training, at its end, over which the learning rate falls to 0; .2 by default'),
};

/** What needs the stage on patches: before it there is no word in a patch that could be scaled, found or missed. */
const AFTER_PATCHES = [
  'pretrain_tower',
  'pretrain_things',
  'pretrain_patch_names',
  'pretrain_scale',
  'pretrain_sink',
  'pretrain_mark',
  'pretrain_matching_start',
] as const;

/** What a mark of patches needs: the sink, by which names are known, and the head that it is meant for. */
const FOR_MARK = ['pretrain_sink', 'pretrain_matching_start'] as const;

/** Refuses settings whose stage, or whose other half, is missing: before the first update, not an hour later. @param refuse adds an issue to what zod reports */
export function checkRecipe(
  settings: { readonly [key in (typeof AFTER_PATCHES)[number] | 'pretrain_patch_steps']?: unknown },
  refuse: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const missing = settings.pretrain_mark ? FOR_MARK.filter(key => !settings[key]) : [];
  if (missing.length > 0)
    refuse.addIssue({
      code: 'custom',
      path: ['pretrain_mark'],
      message: `it needs ${missing.map(key => `"${key}"`).join(' and ')}; set that too, or leave the mark out`,
    });
  if (settings.pretrain_patch_steps) return;
  for (const key of AFTER_PATCHES)
    if (settings[key])
      refuse.addIssue({ code: 'custom', path: [key], message: 'it needs a stage on patches; give "pretrain_patch_steps" too (500 do)' });
}
