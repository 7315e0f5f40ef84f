/** @file Scored answers for tests, from rows of digits: `1` right, `0` wrong, `.` unanswered. */
import type { Question } from '../../benchmarks/question.ts';
import { popeStrict } from '../../scorers/pope/strict.ts';
import { scoreJoined } from '../../scorers/score-answers.ts';
import type { Scenario } from '../scenario.ts';
import type { ScoredScenarioOfRun, ScoredSetOfRun } from '../score-run.ts';

/** Yes/no questions, two to a picture; the right answer is yes for even ones. */
export const yesNoQuestions = (count: number): Question[] =>
  Array.from({ length: count }, (_, i) => ({
    id: i,
    key: `q${i}`,
    kind: 'yes-no',
    text: `is there thing ${i} ?`,
    pictures: [],
    answers: [i % 2 === 0 ? 'yes' : 'no'],
    category: i < count / 2 ? 'first' : 'second',
    cluster: `picture ${Math.floor(i / 2)}`,
    facts: {},
    where: `question ${i}`,
  }));

/** A set whose answers are right and wrong as its rows say, scored by the real scorer. */
export function scoredSet(rows: readonly (readonly [scenario: Scenario, digits: string])[], name = 'made'): ScoredSetOfRun {
  const questions = yesNoQuestions(rows[0][1].length);
  const scenarios = rows.map(([scenario, digits]): ScoredScenarioOfRun => {
    const pairs = questions.flatMap((question, i) => {
      const right = question.answers[0];
      const text = digits[i] === '1' ? right : right === 'yes' ? 'no' : 'yes';
      return digits[i] === '.' ? [] : [{ question, answer: { id: question.id, text, where: '' } }];
    });
    const missing = questions.filter((_, i) => digits[i] === '.');
    const joined = { pairs, missing, duplicates: 0, unknown: 0, warnings: [] };
    return { scenario, others: {}, ...scoreJoined({ name }, questions, joined, popeStrict, { resamples: 200 }) };
  });
  const { name: scorer, best } = popeStrict;
  return { benchmark: name, title: name, scorer, primary: 'accuracy', best, prompt: 'plain', questions, scenarios };
}
