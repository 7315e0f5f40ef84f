/** @file Files that a page holds (chosen by a person, downloaded, or kept in its store) as the files of a checkpoint. */
import { NarrowsError } from '../../system/errors.ts';
import type { ModelFiles } from '../../system/model-files.ts';

/** One read is answered from this many bytes ahead: headers and small tensors lie side by side. */
const AHEAD = 1 << 20;

/** @returns the sentence for a file that is not there, with the cause that `isMissing` knows */
export const missingFile = (place: string, file: string): NarrowsError =>
  new NarrowsError(`${place} has no ${file}; give all files of the model (config.json, *.safetensors, the tokenizer's).`, {
    cause: { code: 'ENOENT' },
  });

/**
 * Blobs by their plain names. Nothing is read before it is asked for: a `File` on the disk stays there.
 * @param name what messages call the place
 */
export function blobFiles(name: string, blobs: ReadonlyMap<string, Blob>): ModelFiles {
  const find = (file: string): Blob => {
    const blob = blobs.get(file);
    if (!blob) throw missingFile(name, file);
    return blob;
  };
  const cut = (file: string, why: string, cause?: unknown): NarrowsError =>
    new NarrowsError(`Cannot read ${file} of ${name}: ${why}.`, { cause });
  let kept: { file: string; offset: number; bytes: Uint8Array } | undefined;
  const bytesOf = async (file: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    try {
      return new Uint8Array(
        await find(file)
          .slice(offset, offset + length)
          .arrayBuffer(),
      );
    } catch (error) {
      if (error instanceof NarrowsError) throw error;
      throw cut(file, 'the browser gives it no more (it was changed, moved or removed); choose it again', error);
    }
  };
  return {
    name,
    list: async () => [...blobs.keys()],
    size: async file => find(file).size,
    async read(file, offset = 0, length) {
      const { size } = find(file);
      const wanted = length ?? size - offset;
      if (offset < 0 || wanted < 0 || offset + wanted > size)
        throw cut(file, `it has ${size} bytes, and ${wanted} from ${offset} on are wanted; it is cut short, get it again`);
      if (kept?.file === file && offset >= kept.offset && offset + wanted <= kept.offset + kept.bytes.length)
        return kept.bytes.slice(offset - kept.offset, offset - kept.offset + wanted);
      if (wanted >= AHEAD) return bytesOf(file, offset, wanted);
      const bytes = await bytesOf(file, offset, Math.min(AHEAD, size - offset));
      kept = { file, offset, bytes };
      return bytes.slice(0, wanted);
    },
    // Blobs never change: the place itself stands for its bytes.
    fingerprint: async file => `${placeId(blobs)}\0${file}`,
  };
}

const places = new WeakMap<object, number>();
let lastPlace = 0;

/** A number for a set of blobs, the same as long as the page lives. */
function placeId(blobs: object): number {
  const known = places.get(blobs);
  if (known !== undefined) return known;
  lastPlace += 1;
  places.set(blobs, lastPlace);
  return lastPlace;
}

/**
 * Files that a person chose or dropped: a folder (its files next to config.json) or the files themselves.
 * @throws NarrowsError for no files, or several models at once
 */
export function chosenFiles(files: Iterable<File>): ModelFiles {
  const all = [...files].map(file => ({ file, path: (file as { webkitRelativePath?: string }).webkitRelativePath || file.name }));
  if (all.length === 0)
    throw new NarrowsError('No files were chosen; give the folder of a model (config.json, *.safetensors, the tokenizer’s files).');
  const folder = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
  const homes = all.filter(({ path }) => path === 'config.json' || path.endsWith('/config.json')).map(({ path }) => folder(path));
  const top = homes.filter(home => homes.every(other => other === home || !home.startsWith(other)));
  if (new Set(top).size > 1)
    throw new NarrowsError(
      `The chosen files hold several models (${[...new Set(top)].map(home => home || './').join(', ')}); choose one folder.`,
    );
  const home = top[0] ?? folder(all[0].path);
  const own = all.filter(({ path }) => folder(path) === home);
  return blobFiles(home.replace(/\/$/, '').split('/').at(-1) || 'the chosen files', new Map(own.map(({ file }) => [file.name, file])));
}
