/** @file All scorers. The command line, reports, docs and tests read this table; nothing is listed twice. */
import { NarrowsError } from '../../system/errors.ts';
import { nearestNames } from '../../system/nearest-names.ts';
import type { Benchmark } from '../benchmarks/benchmark.ts';
import { chairScorer } from './chair/chair.ts';
import { strictChoice } from './generic/choice-strict.ts';
import { contains } from './generic/contains.ts';
import { exactNormalised } from './generic/exact.ts';
import { vqaSoft } from './generic/vqa-soft.ts';
import { mmbenchCircular } from './mmbench/circular.ts';
import { mmeAccuracy } from './mme/accuracy.ts';
import { mmeLmmsEval, mmeOfficial, mmeVlmEvalKit } from './mme/variants.ts';
import { mmmuLmmsEval, mmmuLmmsEvalPinned, mmmuOfficial, mmmuStrict, mmmuVlmEvalKit } from './mmmu/variants.ts';
import { mmstarLmmsEval } from './mmstar/lmms-eval.ts';
import { mmstarOfficial } from './mmstar/official.ts';
import { popeLmmsEval } from './pope/lmms-eval.ts';
import { popeOfficial } from './pope/official.ts';
import { popeStrict, yesNoStrict } from './pope/strict.ts';
import { popeVlmEvalKit } from './pope/vlmevalkit.ts';
import { scenesOpenRules } from './scenes/rules.ts';
import { scienceQaGroups } from './scienceqa/groups.ts';
import { scienceQaLmmsEval } from './scienceqa/lmms-eval.ts';
import { scienceQaOfficial } from './scienceqa/official.ts';
import type { Scorer } from './scorer.ts';
import { wildvisionOfficial } from './wildvision/official.ts';

/** The table. Each key is its entry's name. */
export const scorers: Readonly<Record<string, Scorer>> = {
  'pope@official': popeOfficial,
  'pope@lmms-eval': popeLmmsEval,
  'pope@vlmevalkit': popeVlmEvalKit,
  'pope@strict': popeStrict,
  'mme@official': mmeOfficial,
  'mme@lmms-eval': mmeLmmsEval,
  'mme@vlmevalkit': mmeVlmEvalKit,
  'mme@accuracy': mmeAccuracy,
  'mmmu@official': mmmuOfficial,
  'mmmu@lmms-eval': mmmuLmmsEval,
  'mmmu@lmms-eval-75571cf': mmmuLmmsEvalPinned,
  'mmmu@vlmevalkit': mmmuVlmEvalKit,
  'mmmu@strict': mmmuStrict,
  'mmstar@official': mmstarOfficial,
  'mmstar@lmms-eval': mmstarLmmsEval,
  'mmstar@strict': strictChoice('mmstar@strict'),
  'scienceqa@official': scienceQaOfficial,
  'scienceqa@scienceqa': scienceQaGroups,
  'scienceqa@lmms-eval': scienceQaLmmsEval,
  'scienceqa@strict': strictChoice('scienceqa@strict'),
  'mmbench@circular': mmbenchCircular,
  chair: chairScorer,
  'wildvision@official': wildvisionOfficial,
  'scenes-open@rules': scenesOpenRules,
  'yes-no@strict': yesNoStrict,
  'choice@strict': strictChoice('choice@strict'),
  'exact@normalised': exactNormalised,
  'exact@vqa-soft': vqaSoft,
  contains,
};

const variantOf = (name: string): string => name.slice(name.indexOf('@') + 1);

/**
 * The scorer of a name: a full one (`pope@official`), a variant among those of the benchmark (`official`), or, without a name, the benchmark's
 * first.
 * @throws NarrowsError (usage) for a name that there is not, with the nearest ones
 */
export function findScorer(name: string | undefined, benchmark: Pick<Benchmark, 'name' | 'scorers'>): Scorer {
  const own = benchmark.scorers;
  const full = name === undefined ? own[0] : name in scorers ? name : own.find(one => variantOf(one) === name);
  const scorer = full === undefined ? undefined : scorers[full];
  if (scorer) return scorer;
  if (name === undefined || own.includes(name))
    throw new NarrowsError(`${benchmark.name} has no scorer for answers: they need a judge (narrows judge).`, { kind: 'usage' });
  const near = nearestNames(name, [...own, ...own.map(variantOf), ...Object.keys(scorers)]);
  const meant = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '.';
  throw new NarrowsError(`There is no scorer "${name}" for ${benchmark.name}, which has ${own.join(', ') || 'none'}${meant}`, {
    kind: 'usage',
  });
}
