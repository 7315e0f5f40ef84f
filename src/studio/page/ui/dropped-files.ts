/** @file Files that were dropped, those of dropped folders too, with their paths. */
import type { ChosenFile } from '../../protocol.ts';

/** Files of a folder are given in pieces, until there are none. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (piece.length === 0) return all;
    all.push(...piece);
  }
}

async function filesOf(entry: FileSystemEntry): Promise<ChosenFile[]> {
  if (entry.isDirectory) {
    const files: ChosenFile[] = [];
    for (const each of await entriesOf(entry as FileSystemDirectoryEntry)) files.push(...(await filesOf(each)));
    return files;
  }
  const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
  return [{ path: entry.fullPath.replace(/^\/+/, ''), file }];
}

/** All files of a drop. What was dropped is only there until the event is over, so this must be called within it. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<ChosenFile[]> {
  const plain = [...files];
  const entries = [...items].flatMap(item => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry?.() : null;
    return entry ? [entry] : [];
  });
  if (entries.length === 0) return plain.map(file => ({ path: file.name, file }));
  return (await Promise.all(entries.map(filesOf))).flat();
}
