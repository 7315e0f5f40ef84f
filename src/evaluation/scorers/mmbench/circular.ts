/** @file `mmbench@circular`: a question counts where it is right under every turn of its options (CircularEval). */
import type { Question } from '../../benchmarks/question.ts';
import { parseVlmEvalKitChoice } from '../parse/vlmevalkit-choice.ts';
import type { Figures, Scorer } from '../scorer.ts';
import { accuracyOf, rightIf } from '../summaries/accuracy.ts';
import { byGroup, categoryOf, type Group, grouped, ratio } from '../summaries/groups.ts';

/** VLMEvalKit numbers the turns of question i as i + 1 000 000 · turn. */
const TURN = 1_000_000;

/** The question that this is a turn of. */
function originOf({ id, facts, key }: Question): string {
  const circular = facts.circular as { readonly of?: unknown } | undefined;
  if (circular?.of !== undefined) return String(circular.of);
  return typeof id === 'number' ? String(id % TURN) : key;
}

/** Questions right under all turns, and questions. */
function circularOf({ rows, missing }: Group): [right: number, count: number] {
  const groups = [...grouped(rows, missing, originOf).values()];
  return [groups.filter(group => group.missing.length === 0 && group.rows.every(row => row.correct === 1)).length, groups.length];
}

/** CircularEval; without turns it is plain accuracy. */
export const mmbenchCircular: Scorer = {
  name: 'mmbench@circular',
  summary:
    'The letter as VLMEvalKit reads it without a judge model; a question counts as right where it is right under every turn of its options that was asked. vanilla is the plain share of right answers. A question without an answer is wrong.',
  source: 'Liu et al., MMBench, ECCV 2024, section 4.1; open-compass/VLMEvalKit at e8e78f0',
  kinds: ['choice'],
  primary: 'accuracy',
  best: 1,
  missing: 'wrong',
  read: (answer, question) => {
    const value = parseVlmEvalKitChoice(answer, question.options ?? []);
    return { value, correct: rightIf(value, question) };
  },
  summarise(rows, missing) {
    const figures = (group: Group): Figures => {
      const [right, count] = circularOf(group);
      return { accuracy: ratio(right, count), vanilla: accuracyOf(group), n: count };
    };
    const turns = rows.length + missing.length;
    const whole = figures({ rows: [...rows], missing: [...missing] });
    return {
      metrics: { ...whole, turns },
      byCategory: byGroup(rows, missing, categoryOf, figures),
      ...(turns > 0 && turns === whole.n
        ? { warnings: ['Each question was asked under one turn of its options only: this is plain accuracy, not CircularEval.'] }
        : {}),
    };
  },
  tally: () => ({
    width: 2,
    sums: (rows, missing) => circularOf({ rows: [...rows], missing: [...missing] }),
    figure: sums => ratio(sums[0], sums[1]),
  }),
};
