/** @file `chair`: how much of what a description names is not in the picture (Rohrbach et al. 2018). */
import { NarrowsError } from '../../../system/errors.ts';
import type { Question } from '../../benchmarks/question.ts';
import type { Figures, Reading, ScoredAnswer, Scorer } from '../scorer.ts';
import { byGroup, categoryOf, type Group, ratio } from '../summaries/groups.ts';
import { Mentions, type Synonyms } from './mentions.ts';

const known = new WeakMap<Synonyms, Mentions>();

function mentionsOf({ facts, key }: Question): Mentions {
  const synonyms = facts.synonyms as Synonyms | undefined;
  if (synonyms === undefined || !Array.isArray(facts.objects))
    throw new NarrowsError(`chair needs to know the things of the picture, which question ${key} does not say; it is for chair only.`, {
      kind: 'usage',
    });
  const mentions = known.get(synonyms) ?? new Mentions(synonyms);
  known.set(synonyms, mentions);
  return mentions;
}

/** Names that are there, mentions, mentions that are not there, and distinct things that are there and named. */
function read(answer: string, question: Question): Reading {
  const named = mentionsOf(question).in(answer);
  const there = new Set(question.facts.objects as readonly string[]);
  const invented = named.filter(thing => !there.has(thing));
  return {
    value: [...new Set(named)].map(thing => (there.has(thing) ? thing : `${thing} (invented)`)).join(', ') || null,
    correct: invented.length === 0 ? 1 : 0,
    parts: {
      mentions: named.length,
      invented: invented.length,
      named: new Set(named.filter(thing => there.has(thing))).size,
      objects: there.size,
    },
  };
}

/** Sums: descriptions, those with an invention, mentions, invented mentions, things named, things there. */
function sumsOf(rows: readonly ScoredAnswer[]): number[] {
  const sums = [0, 0, 0, 0, 0, 0];
  for (const { parts = {} } of rows)
    for (const [i, value] of [1, parts.invented > 0 ? 1 : 0, parts.mentions, parts.invented, parts.named, parts.objects].entries())
      sums[i] += value;
  return sums;
}

function figuresOf([count, withInvention, mentions, invented, named, objects]: readonly number[]): Figures {
  return {
    chair_i: ratio(invented, mentions),
    chair_s: ratio(withInvention, count),
    recall: ratio(named, objects),
    mentions_per_description: ratio(mentions, count),
    faithful: 1 - ratio(withInvention, count),
  };
}

const figures = ({ rows }: Group): Figures => figuresOf(sumsOf(rows));

/** CHAIR; its primary figure is the share of descriptions without an invention, so that higher is better, as for all scorers. */
export const chairScorer: Scorer = {
  name: 'chair',
  summary:
    'chair_i is the share of mentions of things that are not in the picture, chair_s the share of descriptions with at least one; faithful is 1 - chair_s, recall the share of the things that are there and named. Things are those of the set with their synonyms. Questions without an answer are left out.',
  source: 'Rohrbach et al., Object Hallucination in Image Captioning, EMNLP 2018, arXiv 1809.02156; written anew',
  kinds: ['open'],
  primary: 'faithful',
  best: 1,
  missing: 'left out',
  unlabelled: true,
  read,
  summarise: (rows, missing) => ({
    metrics: figures({ rows: [...rows], missing: [...missing] }),
    byCategory: byGroup(rows, missing, categoryOf, figures),
  }),
  tally: () => ({ width: 6, sums: rows => sumsOf(rows), figure: sums => 1 - ratio(sums[1], sums[0]) }),
};
