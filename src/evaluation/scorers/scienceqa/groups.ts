/** @file `scienceqa@scienceqa`: the groups of ScienceQA's own table. */
import type { Question } from '../../benchmarks/question.ts';
import type { Figures, Scorer } from '../scorer.ts';
import { accuracyOf, shareTally } from '../summaries/accuracy.ts';
import { byGroup, distinct } from '../summaries/groups.ts';
import { readScienceQaLlava } from './official.ts';
import { hasHint, hasPicture } from './pictured.ts';

const grade = ({ facts }: Question): number => Number(/^grade(\d+)$/.exec(String(facts.grade ?? ''))?.[1] ?? Number.NaN);
const topicOf = ({ facts }: Question): string | undefined =>
  typeof facts.topic === 'string' && facts.topic !== '' ? facts.topic : undefined;

/** The columns of ScienceQA's table. */
const GROUPS: Readonly<Record<string, (question: Question) => boolean>> = {
  acc_natural: ({ facts }) => facts.subject === 'natural science',
  acc_social: ({ facts }) => facts.subject === 'social science',
  acc_language: ({ facts }) => facts.subject === 'language science',
  acc_has_text: hasHint,
  acc_has_image: hasPicture,
  acc_no_context: question => !hasHint(question) && !hasPicture(question),
  acc_grade_1_6: question => grade(question) <= 6,
  acc_grade_7_12: question => grade(question) > 6,
};

/** ScienceQA's scorer over options as LLaVA reads them. */
export const scienceQaGroups: Scorer = {
  name: 'scienceqa@scienceqa',
  summary:
    "ScienceQA's table in percent: subjects, context, grades and topics, over options as LLaVA reads them. A question without an answer is wrong in every group that it is in.",
  source: 'lupantech/ScienceQA tools/evaluate_acc.py at 2cbf831, without its assertion of 4241 answers',
  kinds: ['choice'],
  primary: 'acc_average',
  best: 100,
  missing: 'wrong',
  read: readScienceQaLlava,
  summarise(rows, missing) {
    const percent = (keep: (question: Question) => boolean): number =>
      100 * accuracyOf({ rows: rows.filter(row => keep(row.question)), missing: missing.filter(keep) });
    const topics = distinct([...rows.map(row => row.question), ...missing], topicOf);
    const metrics: Record<string, number> = Object.fromEntries(Object.entries(GROUPS).map(([name, keep]) => [name, percent(keep)]));
    metrics.acc_average = percent(() => true);
    metrics.accuracy = metrics.acc_average / 100;
    for (const topic of topics) metrics[`acc_${topic.replaceAll(/\s+/g, '_')}`] = percent(question => topicOf(question) === topic);
    return { metrics, byCategory: byGroup(rows, missing, topicOf, (group): Figures => ({ accuracy: accuracyOf(group) })) };
  },
  tally: () => shareTally(100),
};
