/** @file What a judge is asked to do, by category: a file in LLaVA's form, or our own words. */
import { z } from 'zod';
import { readJson } from '../../checkpoints/disk.ts';
import { NarrowsError } from '../../system/errors.ts';

/** A rule: what the two are called, and what is asked of the judge. */
export interface Rule {
  /** `Assistant` of `[Assistant 1]`. */
  readonly role: string;
  readonly prompt: string;
}

/** Rules, and where they come from. */
export interface Rules {
  /** `narrows@1`, or the file's name. */
  readonly name: string;
  /** @throws NarrowsError (usage) where there is none for a category */
  of(category: string): Rule;
}

const OWN: Rule = {
  role: 'Assistant',
  prompt: [
    'Two assistants answered the question above. Mark each answer from 1 to 10: does it answer what was asked, is what it says of the picture true by what you know of it, does it leave out what matters, does it add what is not there?',
    'Length and style earn nothing, and neither does standing first.',
    'Begin with one line that holds two numbers and nothing else: the mark of Assistant 1, a space, the mark of Assistant 2.',
    'Then say in a few sentences why.',
  ].join('\n'),
};

/** Our own words, the same for every category. */
export const OWN_RULES: Rules = { name: 'narrows@1', of: () => OWN };

const schema = z.record(z.string(), z.looseObject({ role: z.string().min(1), prompt: z.string().min(1) }));

/** Reads a file in the form of LLaVA's `rule.json`: `{"conv": {"role": "Assistant", "prompt": "…"}}`. @throws NarrowsError naming file and key */
export async function readRules(path: string): Promise<Rules> {
  const parsed = schema.safeParse(await readJson(path));
  if (!parsed.success) {
    const [{ path: key, message }] = parsed.error.issues;
    throw new NarrowsError(
      `${path}: the rule "${key.join('.')}" is wrong (${message}); give {"category": {"role": "Assistant", "prompt": "…"}}.`,
    );
  }
  const rules = parsed.data;
  return {
    name: path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1),
    of(category) {
      if (Object.hasOwn(rules, category)) return rules[category];
      throw new NarrowsError(
        `${path} has no rule for the category ${JSON.stringify(category)}, only for ${Object.keys(rules).join(', ')}.`,
        {
          kind: 'usage',
        },
      );
    },
  };
}
