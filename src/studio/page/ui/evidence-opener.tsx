/** @file The head of Compare and Robustness: results that the studio was started with, or a file that the person opens or drops. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SourceInfo } from '../../facts.ts';
import type { EvidenceSource } from '../../protocol.ts';
import { announce } from '../state/announce.ts';
import { backend, need, sentenceOf } from '../state/studio.ts';
import { FileButton } from './file-button.tsx';

/** What is opened and how. */
export interface EvidenceOpenerProps {
  readonly title: string;
  readonly kind: SourceInfo['kind'];
  /** What the person may open, in words. */
  readonly what: string;
  /** How such results are made. */
  readonly command: string;
  readonly isOpen: boolean;
  /** All results that the studio was started with are opened, and several files at once may be. */
  readonly several?: boolean;
  readonly open: (from: EvidenceSource) => Promise<void>;
  readonly children?: ComponentChildren;
}

/** The head. */
export function EvidenceOpener({ title, kind, what, command, isOpen, several = false, open, children }: EvidenceOpenerProps) {
  const [sources, setSources] = useState<readonly SourceInfo[]>([]);
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState('');
  const ready = backend.value !== undefined;
  const take = async (from: EvidenceSource, name: string): Promise<void> => {
    setTrouble('');
    setBusy(name);
    try {
      await open(from);
      announce(`${name} is open.`);
    } catch (error) {
      setTrouble(sentenceOf(error));
    } finally {
      setBusy('');
    }
  };
  useEffect(() => {
    if (!ready) return;
    need()
      .sources()
      .then(async all => {
        const mine = all.filter(source => source.kind === kind);
        setSources(mine);
        const sound = mine.filter(source => source.problem === undefined);
        if (isOpen) return;
        for (const source of several ? sound : sound.slice(0, 1)) await take({ source: source.id }, source.name);
      })
      .catch(error => setTrouble(sentenceOf(error)));
  }, [ready]);
  const file = async (files: readonly File[]): Promise<void> => {
    for (const each of several ? files : files.slice(0, 1)) await take({ file: each, name: each.name }, each.name);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way in; the button is the one for keys
    <div
      class="evidence"
      onDragOver={event => event.preventDefault()}
      onDrop={event => {
        event.preventDefault();
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length > 0) void file(files);
      }}
    >
      <header class="row">
        <h1>{title}</h1>
        {sources.map(source => (
          <button
            key={source.id}
            type="button"
            class="small"
            disabled={source.problem !== undefined || busy !== ''}
            title={source.problem}
            onClick={() => void take({ source: source.id }, source.name)}
          >
            {source.name}
          </button>
        ))}
        <FileButton accept=".json,application/json" multiple={several} onFiles={files => void file(files)}>
          Open {what}
        </FileButton>
      </header>
      {busy && <p class="note working">Reading {busy}…</p>}
      {trouble && (
        <p class="failure" role="alert">
          {trouble}
        </p>
      )}
      {!isOpen && !busy && (
        <p class="empty-note">
          Open or drop {what}. It is made by <code>{command}</code>; a studio that was started with <code>--data</code> shows it at once.
        </p>
      )}
      {children}
    </div>
  );
}
