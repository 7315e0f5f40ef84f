/** @file The examples of the Attribute view: one click shows one with the frames that the build computed, then the real maps. */
import { model } from '../state/studio.ts';
import { ExampleRow } from './example-row.tsx';
import { panels } from './panels.ts';
import { openKnown, type StoredEntry, showStored } from './pictures.ts';
import { run } from './run.ts';
import { caption, notice, picture } from './subject.ts';

async function show(entry: StoredEntry): Promise<void> {
  notice.value = undefined;
  if (!(await showStored(entry.id, true))) {
    if (!(await openKnown(entry.picture.id))) return;
    caption.value = entry.caption;
  }
  if (model.peek()) await run({ quiet: panels.peek().length === 1 && panels.peek()[0].state.peek().image.length > 0 });
}

/** The examples. */
export function Examples() {
  return <ExampleRow chosen={picture.value?.example} choose={entry => void show(entry)} />;
}
