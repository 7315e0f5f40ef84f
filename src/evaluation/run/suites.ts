/** @file Suites of sets: which benchmarks are asked under which scenarios. */
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';

/** A set of a suite. */
export interface SuiteSet {
  readonly benchmark: string;
  readonly split?: string;
  /** Name of a suite of shifts, and which of its scenarios; only the clean set without it. */
  readonly shifts?: { readonly suite: string; readonly kinds?: readonly ('visual' | 'textual' | 'joint')[] };
}

/** A suite. */
export interface EvaluationSuite {
  readonly name: string;
  readonly summary: string;
  /** Where the list comes from, and what of it is ours. */
  readonly source: string;
  readonly sets: readonly SuiteSet[];
}

/** The 45 sets of Vittle's paper: LLaVA-Bench (COCO) clean and under 27 shifts, three long-tail sets, POPE clean and under the 9 visual shifts, four closed sets. */
const vittle45: EvaluationSuite = {
  name: 'vittle-45',
  summary: "The 45 sets of Vittle's paper: 28 of LLaVA-Bench (COCO), 3 long-tail sets, 10 of POPE, ScienceQA, MMMU, MME, MMStar",
  source:
    'Oh et al., NeurIPS 2025, arXiv 2505.13946; the counts are the paper’s, the 9 + 9 shifts and their severities are ours (vittle-9x9x9), since its list is not public',
  sets: [
    { benchmark: 'llava-bench-coco', shifts: { suite: 'vittle-9x9x9' } },
    { benchmark: 'llava-bench-in-the-wild' },
    { benchmark: 'llava-bench-wilder' },
    { benchmark: 'wildvision-bench' },
    { benchmark: 'pope', shifts: { suite: 'vittle-9x9x9', kinds: ['visual'] } },
    { benchmark: 'scienceqa', split: 'image' },
    { benchmark: 'mmmu', split: 'validation' },
    { benchmark: 'mme' },
    { benchmark: 'mmstar' },
  ],
};

/** The same on drawn scenes, where every answer is known: runs anywhere, without data. */
const scenes: EvaluationSuite = {
  name: 'scenes',
  summary: 'The built-in world in the forms of POPE, MMStar and LLaVA-Bench, clean and under the shifts of vittle-9x9x9',
  source: 'Narrows',
  sets: [
    { benchmark: 'scenes-pope', shifts: { suite: 'vittle-9x9x9' } },
    { benchmark: 'scenes-choice', shifts: { suite: 'vittle-9x9x9' } },
    { benchmark: 'scenes-open', shifts: { suite: 'vittle-9x9x9' } },
  ],
};

/** All suites. */
export const suites: readonly EvaluationSuite[] = [vittle45, scenes];

/** A suite by its name. @throws NarrowsError (usage) with the nearest names */
export function findSuite(name: string): EvaluationSuite {
  const found = suites.find(one => one.name === name);
  if (found) return found;
  const names = suites.map(one => one.name);
  throw new NarrowsError(`There is no suite ${JSON.stringify(name)} (${didYouMean(name, names) ?? `there are ${names.join(', ')}`}).`, {
    kind: 'usage',
  });
}
