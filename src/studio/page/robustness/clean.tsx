/** @file What a model does where nothing is shifted: a figure with its interval per set. */
import type { EvaluationResults } from '../../../evaluation/run/results.ts';
import { cleanOf, figureText, primaryOf, scoreInterval, unitText } from '../../../report/evaluation/view.ts';

/** The figures. */
export function Clean({ results }: { readonly results: EvaluationResults }) {
  return (
    <ul class="clean-scores">
      {results.sets.map(set => {
        const clean = cleanOf(set);
        return (
          <li key={`${set.benchmark} ${set.prompt}`}>
            <b>{set.title}</b>{' '}
            {clean ? (
              <>
                <span class="figure">
                  {figureText(primaryOf(set, clean.score), set.best)} {unitText(set.best)}
                </span>{' '}
                <span class="note">
                  {scoreInterval(clean.score, set.best)}, {set.primary} of {set.questions} questions on {set.clusters} pictures
                </span>
              </>
            ) : (
              <span class="note">was not asked clean</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
