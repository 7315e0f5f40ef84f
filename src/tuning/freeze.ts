/** @file Freezing by pattern: which tensors of a model stay as they are. */
import { NarrowsError } from '../system/errors.ts';

/**
 * A pattern as a test of whole names: `model.vision_tower.*` (* stands for any text), or a regular expression between slashes, `/layers\.[0-7]\./`,
 * which may match anywhere in the name.
 * @throws NarrowsError (usage) for a regular expression that is none
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const expression = /^\/(.+)\/$/s.exec(pattern)?.[1];
  if (expression === undefined) {
    const parts = pattern.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    const whole = new RegExp(`^${parts.join('.*')}$`);
    return name => whole.test(name);
  }
  try {
    const anywhere = new RegExp(expression);
    return name => anywhere.test(name);
  } catch (cause) {
    throw new NarrowsError(`The pattern "${pattern}" is no regular expression; without slashes, * stands for any text.`, {
      kind: 'usage',
      cause,
    });
  }
}

/**
 * The names that no pattern matches, in their order: what is left to train.
 * @param names every tensor that could be trained or frozen
 * @param argument what messages call the patterns
 * @param alias other names of a tensor that a pattern may go by
 * @throws NarrowsError (usage) for a pattern that matches nothing (a typing error would train what was meant to rest), or is malformed
 */
export function trainableNames(
  names: Iterable<string>,
  patterns: readonly string[],
  argument = 'freeze',
  alias: (name: string) => readonly string[] = () => [],
): string[] {
  const all = [...names];
  const tests = patterns.map(namePattern).map(matches => (name: string) => matches(name) || alias(name).some(matches));
  const none = tests.findIndex(matches => !all.some(matches));
  if (none >= 0)
    throw new NarrowsError(
      `"${argument}" has the pattern "${patterns[none]}", which no tensor of the model matches${all.length ? ` (such as ${all[0]})` : ''}.`,
      { kind: 'usage' },
    );
  return all.filter(name => !tests.some(matches => matches(name)));
}
