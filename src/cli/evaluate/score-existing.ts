/** @file `narrows evaluate --answers`: from flags to a score of answers that exist. */
import { NarrowsError } from '../../system/errors.ts';
import type { Context, Options } from '../command.ts';
import { kebab } from '../flags.ts';
import { type ScoreFlags, scoreAnswersCommand } from './score-answers.ts';

/** Flags that say something of scoring, and those of every command. */
const KNOWN = new Set('benchmark data answers scorer split limit output join fields json quiet debug seed config plugin'.split(' '));

/** @throws NarrowsError (usage) for flags that have no place here, and as `scoreAnswersCommand` */
export async function scoreExisting(context: Context, options: Options, given: ReadonlySet<string>): Promise<undefined> {
  const idle = [...given].find(flag => !KNOWN.has(flag));
  if (idle)
    throw new NarrowsError(`--${kebab(idle)} is for asking a model, but --answers scores answers that exist; leave one out.`, {
      kind: 'usage',
    });
  const {
    benchmark: names,
    scorer,
    ...rest
  } = options as unknown as Omit<ScoreFlags, 'benchmark' | 'scorers'> & {
    readonly benchmark?: readonly string[];
    readonly scorer?: readonly string[];
  };
  if (!names) throw new NarrowsError('To which set are these the answers? Add --benchmark NAME.', { kind: 'usage' });
  if (names.length > 1) throw new NarrowsError('The answers of one file belong to one set: give one --benchmark.', { kind: 'usage' });
  await scoreAnswersCommand(context, { ...rest, benchmark: names[0], scorers: scorer });
  return undefined;
}
