/** @file The examples as a row of small pictures; they are there before any model is. */
import { useEffect, useState } from 'preact/hooks';
import { model } from '../state/studio.ts';
import { panels } from './panels.ts';
import { exampleList, exampleThumb, openKnown, type StoredEntry, showStored } from './pictures.ts';
import { run } from './run.ts';
import { caption, notice, picture } from './subject.ts';

async function show(entry: StoredEntry): Promise<void> {
  notice.value = undefined;
  if (!(await showStored(entry.id, true))) {
    if (!(await openKnown(entry.picture))) return;
    caption.value = entry.caption;
  }
  if (model.peek()) await run({ quiet: panels.peek().length === 1 && panels.peek()[0].state.peek().image.length > 0 });
}

/** The row. */
export function Examples() {
  const [list, setList] = useState<readonly StoredEntry[]>([]);
  const [thumbs, setThumbs] = useState<Readonly<Record<string, string>>>({});
  useEffect(() => {
    void exampleList().then(async found => {
      setList(found);
      for (const entry of found) {
        const address = await exampleThumb(entry);
        setThumbs(before => ({ ...before, [entry.id]: address }));
      }
    });
  }, []);
  if (list.length === 0) return null;
  return (
    <ul class="examples" aria-label="Examples">
      {list.map(entry => (
        <li key={entry.id}>
          <button
            type="button"
            aria-label={`Example: ${entry.caption}`}
            aria-pressed={picture.value?.example === entry.id}
            title={entry.caption}
            onClick={() => void show(entry)}
          >
            <img src={thumbs[entry.id]} alt="" width={64} height={64} />
          </button>
        </li>
      ))}
    </ul>
  );
}
