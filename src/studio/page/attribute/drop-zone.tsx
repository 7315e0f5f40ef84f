/** @file Pictures that are dropped anywhere on the view, or pasted. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import { openFile } from './pictures.ts';
import { run } from './run.ts';
import { notice } from './subject.ts';

async function take(data: DataTransfer | null): Promise<void> {
  const files = data ? [...data.files] : [];
  if (files.length === 0) {
    notice.value = 'What was dropped is no file. Save the picture, then drop the file here.';
    announce(notice.value);
    return;
  }
  if (await openFile(files[0])) await run();
}

/** The whole view takes pictures. */
export function DropZone({ children }: { readonly children: ComponentChildren }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      if ((event.clipboardData?.files.length ?? 0) === 0) return;
      event.preventDefault();
      void take(event.clipboardData);
    };
    addEventListener('paste', paste);
    return () => removeEventListener('paste', paste);
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way in; the button is the one for keys
    <div
      class={`drop-zone${over ? ' over' : ''}`}
      onDragOver={event => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={event => {
        if (event.currentTarget === event.target) setOver(false);
      }}
      onDrop={event => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer);
      }}
    >
      {children}
      {over && (
        <div class="drop-veil" aria-hidden="true">
          Drop the picture
        </div>
      )}
    </div>
  );
}
