/** @file The Attribute view: the picture is largest; beside it the caption, the run of the gate, and what one may turn. */
import { useEffect } from 'preact/hooks';
import { place } from '../state/place.ts';
import { info, model, openFailure, opening, trouble } from '../state/studio.ts';
import { Fold } from '../ui/fold.tsx';
import { Warnings } from '../ui/warnings.tsx';
import { begin } from './begin.ts';
import { CaptionForm } from './caption-form.tsx';
import { DifferenceView } from './difference.tsx';
import { DropZone } from './drop-zone.tsx';
import { Examples } from './examples.tsx';
import { Exports } from './export.tsx';
import { shownOf } from './maps.ts';
import { AddMethod, MethodPicker } from './method-picker.tsx';
import { OptionsForm } from './options-form.tsx';
import { PanelView } from './panel.tsx';
import { activePanel, panels } from './panels.ts';
import { ahead, running, runWarnings } from './run.ts';
import { picture } from './subject.ts';
import { TargetForm } from './target-form.tsx';
import { Timeline } from './timeline.tsx';
import { ValuesTable } from './values-table.tsx';
import { difference } from './view.ts';
import { ViewForm } from './view-form.tsx';

/** What is going on with the model, in words. */
function modelLine(): string {
  const { reference, progress } = opening.value ?? {};
  if (reference !== undefined) return `${progress?.phase ?? 'Opening'} ${progress ? '' : reference}…`;
  if (!info.value) return trouble.value ? '' : 'Looking for the model…';
  if (running.value && ahead.value > 0) return `${ahead.value} ${ahead.value === 1 ? 'job' : 'jobs'} before this one.`;
  return '';
}

/** The view. */
export function AttributePage() {
  useEffect(() => {
    void begin();
  }, []);
  const shown = picture.value;
  const all = panels.value.map(shownOf);
  const panel = activePanel();
  const two = difference.value && panels.value.length === 2;
  const line = modelLine();
  return (
    <DropZone>
      <div class="attribute">
        <section class="show" aria-label="Maps">
          <h1 class="unseen">Attribute</h1>
          {shown ? (
            <div class={`panels n${all.length + (two ? 1 : 0)}`}>
              {panels.value.map((each, i) => (
                <PanelView key={each.id} panel={each} index={i} picture={shown} all={all} />
              ))}
              {two && <DifferenceView picture={shown} all={all} />}
            </div>
          ) : (
            <div class="empty-stage">
              <p>Drop a picture here, paste one, or choose a file.</p>
            </div>
          )}
        </section>
        <aside class="side" aria-label="Caption, method and view">
          <CaptionForm />
          {line && <p class="note working">{line}</p>}
          {openFailure.value && (
            <p class="failure" role="alert">
              {openFailure.value}
            </p>
          )}
          <Warnings list={[...(model.value?.warnings ?? []), ...(shown?.warnings ?? []), ...runWarnings.value]} />
          <Timeline panel={panel} />
          <Examples />
          <Fold title="Method" open>
            <MethodPicker panel={panel} />
            <OptionsForm panel={panel} />
            <AddMethod />
          </Fold>
          <Fold title="View" open={place.value.parameters.overlay !== undefined}>
            <ViewForm />
          </Fold>
          <Fold title="Question and seeds">
            <TargetForm />
          </Fold>
          <Fold title="Take away" open>
            <Exports panel={panel} />
          </Fold>
          <Fold title="Values as tables">
            <ValuesTable panel={panel} />
          </Fold>
        </aside>
      </div>
    </DropZone>
  );
}
