/** @file The way in for lists that are chosen in the page: a folder, or files; by button or dropped. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { SourceInfo } from '../../facts.ts';
import type { ChosenFile } from '../../protocol.ts';
import { announce } from '../state/announce.ts';
import { need, sentenceOf } from '../state/studio.ts';
import { droppedFiles } from '../ui/dropped-files.ts';
import { FileButton, PICTURE_FILES } from '../ui/file-button.tsx';

/** What a list may be called, with its pictures and the texts beside them. */
const LIST_FILES = `.csv,.tsv,.jsonl,.ndjson,.json,.txt,${PICTURE_FILES}`;

const pathsOf = (files: readonly File[]): ChosenFile[] => files.map(file => ({ path: file.webkitRelativePath || file.name, file }));

/** The way in, around what is shown. @param opened called with the list */
export function OpenList({
  first,
  opened,
  children,
}: {
  /** No list is open yet: then it is said what one is. */
  readonly first: boolean;
  readonly opened: (source: SourceInfo) => void;
  readonly children: ComponentChildren;
}) {
  const [busy, setBusy] = useState('');
  const [trouble, setTrouble] = useState('');
  const take = async (choice: () => Promise<readonly ChosenFile[]>): Promise<void> => {
    setTrouble('');
    setBusy('Reading the files');
    try {
      const files = await choice();
      if (files.length === 0) return;
      const source = await need().openList(files);
      announce(`${source.name} is open, ${source.count} pairs.`);
      opened(source);
    } catch (error) {
      setTrouble(sentenceOf(error));
      announce(sentenceOf(error));
    } finally {
      setBusy('');
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way in; the buttons are the one for keys
    <div
      class="open-list"
      onDragOver={event => event.preventDefault()}
      onDrop={event => {
        event.preventDefault();
        const { dataTransfer } = event;
        if (dataTransfer) void take(() => droppedFiles(dataTransfer));
      }}
    >
      <div class="row">
        <FileButton folder onFiles={files => void take(async () => pathsOf(files))}>
          Choose a folder
        </FileButton>
        <FileButton multiple accept={LIST_FILES} onFiles={files => void take(async () => pathsOf(files))}>
          Choose files
        </FileButton>
        {busy && <span class="note working">{busy}…</span>}
      </div>
      {trouble && (
        <p class="failure" role="alert">
          {trouble}
        </p>
      )}
      {first && !busy && (
        <p class="empty-note">
          Choose or drop a folder of pictures with a list of pairs (<code>pairs.csv</code> or <code>.jsonl</code> with the columns{' '}
          <code>image</code> and <code>text</code>), or with a caption beside each picture (<code>cat.png</code>, <code>cat.txt</code>). All
          of it stays in this tab: maps as long as it is open, verdicts in this browser, and both can be saved as JSONL. Lists of many
          thousands go faster with <code>narrows studio --data pairs.csv</code> on your computer.
        </p>
      )}
      {children}
    </div>
  );
}
