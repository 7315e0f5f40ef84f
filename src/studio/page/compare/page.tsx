/** @file The Compare view: a comparison's ranks, intervals and gallery. */
import { signal } from '@preact/signals';
import type { ComparisonView, PartView } from '../../evidence.ts';
import { need } from '../state/studio.ts';
import { EvidenceOpener } from '../ui/evidence-opener.tsx';
import { Fold } from '../ui/fold.tsx';
import { Warnings } from '../ui/warnings.tsx';
import { Forest } from './forest.tsx';
import { Gallery } from './gallery.tsx';
import { RankTable } from './rank-table.tsx';
import { titleOf } from './titles.ts';

const comparison = signal<ComparisonView | undefined>(undefined);
const part = signal(0);
const metric = signal('');

function show(view: ComparisonView): void {
  comparison.value = view;
  part.value = 0;
  metric.value = view.parts[0]?.tables[0]?.metric ?? '';
}

const partName = ({ group, modality }: PartView): string => `${modality === 'image' ? 'pictures' : 'captions'}${group ? `, ${group}` : ''}`;

function Part({ view, shown }: { readonly view: ComparisonView; readonly shown: PartView }) {
  const table = shown.tables.find(each => each.metric === metric.value) ?? shown.tables[0];
  const facts = view.metrics.find(each => each.name === table?.metric);
  return (
    <>
      <section aria-label="Ranks">
        <h2>Ranks</h2>
        <p class="note">1 is best; methods by their mean place. A heading shows the values of its metric below.</p>
        <RankTable
          view={view}
          part={shown}
          metric={table?.metric}
          choose={name => {
            metric.value = name;
          }}
        />
      </section>
      {table && facts && (
        <section aria-label={facts.title}>
          <h2>
            {facts.title}, {facts.unit}
          </h2>
          <p class="note">
            {facts.reading} Means over {shown.pairs} pairs with {Math.round(100 * view.level)} % intervals; marked where the difference to{' '}
            {titleOf(view, view.reference)} holds after correction.
          </p>
          <Forest view={view} table={table} />
        </section>
      )}
      {shown.gallery.length > 0 && (
        <section aria-label="Gallery">
          <h2>Pairs</h2>
          <Gallery view={view} part={shown} />
        </section>
      )}
      {(Object.keys(shown.skipped ?? {}).length > 0 || Object.keys(shown.failures ?? {}).length > 0) && (
        <Fold title="Methods without values">
          <ul class="reasons">
            {Object.entries(shown.skipped ?? {}).map(([name, reason]) => (
              <li key={name}>
                <b>{titleOf(view, name)}</b>: {reason}
              </li>
            ))}
            {Object.entries(shown.failures ?? {}).map(([name, count]) => (
              <li key={name}>
                <b>{titleOf(view, name)}</b> failed on {count} pairs.
              </li>
            ))}
          </ul>
        </Fold>
      )}
    </>
  );
}

/** The view. */
export function ComparePage() {
  const view = comparison.value;
  const shown = view?.parts[part.value] ?? view?.parts[0];
  return (
    <section class="compare" aria-label="Compare">
      <EvidenceOpener
        title="Compare"
        kind="comparison"
        what="a results.json"
        command="narrows compare"
        isOpen={view !== undefined}
        open={async from => show(await need().comparison(from))}
      >
        {view && (
          <>
            <div class="row">
              <p>
                {view.title ? `${view.title}: ` : ''}
                {view.methods.length} methods on {view.data.samples} pairs of {view.data.name}, {view.model.name}, {view.seeds.length}{' '}
                {view.seeds.length === 1 ? 'seed' : 'seeds'}
              </p>
              {view.parts.length > 1 && (
                <select
                  aria-label="Part"
                  value={part.value}
                  onChange={event => {
                    part.value = Number(event.currentTarget.value);
                  }}
                >
                  {view.parts.map((each, i) => (
                    <option key={i} value={i}>
                      {partName(each)}
                    </option>
                  ))}
                </select>
              )}
            </div>
            <Warnings list={view.warnings ?? []} />
            {shown && <Part view={view} shown={shown} />}
          </>
        )}
      </EvidenceOpener>
    </section>
  );
}
