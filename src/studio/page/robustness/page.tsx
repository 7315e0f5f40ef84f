/** @file The Robustness view: the runs that are open, what shifts change in one matrix of all models, and per model the answers that broke. */
import { signal } from '@preact/signals';
import type { RobustnessView } from '../../evidence.ts';
import { need } from '../state/studio.ts';
import { EvidenceOpener } from '../ui/evidence-opener.tsx';
import { Warnings } from '../ui/warnings.tsx';
import { Broken } from './broken.tsx';
import { Clean } from './clean.tsx';
import { runName } from './columns.ts';
import { MatrixTable } from './matrix-table.tsx';

/** Runs that are open. */
const runs = signal<readonly RobustnessView[]>([]);

/** What tells two runs of one model apart, besides the name of their file. */
const figuresOf = ({ results }: RobustnessView): string =>
  JSON.stringify(results.sets.map(set => set.scenarios.map(({ scenario, score }) => [scenario.name, score.metrics])));

function add(view: RobustnessView): void {
  const others = runs.peek().filter(run => run.results.model === view.results.model);
  if (others.some(run => figuresOf(run) === figuresOf(view))) return;
  // Files of one name from two folders: both are shown.
  const names = new Set(others.map(run => run.name));
  let name = view.name;
  for (let i = 2; names.has(name); i++) name = `${view.name} (${i})`;
  runs.value = [...runs.peek(), { ...view, name }];
}

function RunHead({ run, all }: { readonly run: RobustnessView; readonly all: readonly RobustnessView[] }) {
  return (
    <section class="run" aria-label={runName(run, all)}>
      <div class="row">
        <h2>{run.results.model}</h2>
        <span class="note">{run.name}</span>
        {all.length > 1 && (
          <button
            type="button"
            class="small"
            aria-label={`Take away ${runName(run, all)}`}
            onClick={() => {
              runs.value = runs.peek().filter(each => each !== run);
            }}
          >
            Take away
          </button>
        )}
      </div>
      <Clean results={run.results} />
      <Warnings
        list={[...run.results.warnings, ...run.results.leftOut.map(({ benchmark, reason }) => `${benchmark} was left out: ${reason}`)]}
      />
    </section>
  );
}

/** The view. */
export function RobustnessPage() {
  const all = runs.value;
  return (
    <section class="robustness" aria-label="Robustness">
      <EvidenceOpener
        title="Robustness"
        kind="evaluation"
        what="a results.json"
        command="narrows evaluate"
        several
        isOpen={all.length > 0}
        open={async from => add(await need().robustness(from))}
      >
        {all.length > 0 && (
          <>
            <div class="runs">
              {all.map(run => (
                <RunHead key={`${run.name} ${run.results.model}`} run={run} all={all} />
              ))}
            </div>
            <MatrixTable runs={all} />
            {all.length === 1 && <p class="note">Open another run beside it: the matrix then shows the models side by side.</p>}
            <div class="runs">
              {all.map(run => (
                <Broken key={`${run.name} ${run.results.model}`} run={run} title={all.length > 1 ? runName(run, all) : undefined} />
              ))}
            </div>
          </>
        )}
      </EvidenceOpener>
    </section>
  );
}
