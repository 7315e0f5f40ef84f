/** @file The examples as a row of small pictures; they are there before any model is. */
import { useEffect, useState } from 'preact/hooks';
import { exampleList, exampleThumb, type StoredEntry } from './pictures.ts';

/** What is chosen and what choosing does. */
export interface ExampleRowProps {
  /** Id of the example that is shown. */
  readonly chosen: string | undefined;
  readonly choose: (entry: StoredEntry) => void;
}

/** The row; nothing where the build stored no examples. */
export function ExampleRow({ chosen, choose }: ExampleRowProps) {
  const [list, setList] = useState<readonly StoredEntry[]>([]);
  const [thumbs, setThumbs] = useState<Readonly<Record<string, string>>>({});
  useEffect(() => {
    void exampleList().then(async found => {
      setList(found);
      for (const entry of found) {
        const address = await exampleThumb(entry).catch(() => undefined);
        if (address) setThumbs(before => ({ ...before, [entry.id]: address }));
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
            aria-pressed={chosen === entry.id}
            title={entry.caption}
            onClick={() => choose(entry)}
          >
            <img src={thumbs[entry.id]} alt="" width={64} height={64} />
          </button>
        </li>
      ))}
    </ul>
  );
}
