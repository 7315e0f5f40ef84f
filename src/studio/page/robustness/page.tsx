/** @file The Robustness view: what shifts change, a matrix per model side by side; and the answers that broke, with their pictures. */
import { signal } from '@preact/signals';
import type { RobustnessView } from '../../evidence.ts';
import { need } from '../state/studio.ts';
import { EvidenceOpener } from '../ui/evidence-opener.tsx';
import { Warnings } from '../ui/warnings.tsx';
import { Broken } from './broken.tsx';
import { Clean } from './clean.tsx';
import { MatrixTable } from './matrix-table.tsx';

/** Runs that are open; several models stand below each other. */
const runs = signal<readonly RobustnessView[]>([]);

function add(view: RobustnessView): void {
  runs.value = [...runs.peek().filter(run => run.name !== view.name || run.results.model !== view.results.model), view];
}

/** The view. */
export function RobustnessPage() {
  return (
    <section class="robustness" aria-label="Robustness">
      <EvidenceOpener
        title="Robustness"
        kind="evaluation"
        what="a results.json"
        command="narrows evaluate"
        isOpen={runs.value.length > 0}
        open={async from => add(await need().robustness(from))}
      >
        {runs.value.map(run => (
          <section key={`${run.name} ${run.results.model}`} class="run" aria-label={run.results.model}>
            <div class="row">
              <h2>{run.results.model}</h2>
              <span class="note">{run.name}</span>
              {runs.value.length > 1 && (
                <button
                  type="button"
                  class="small"
                  onClick={() => {
                    runs.value = runs.peek().filter(each => each !== run);
                  }}
                >
                  Take away
                </button>
              )}
            </div>
            <Clean results={run.results} />
            <MatrixTable results={run.results} />
            <Warnings
              list={[
                ...run.results.warnings,
                ...run.results.leftOut.map(({ benchmark, reason }) => `${benchmark} was left out: ${reason}`),
              ]}
            />
            <Broken run={run} />
          </section>
        ))}
      </EvidenceOpener>
    </section>
  );
}
