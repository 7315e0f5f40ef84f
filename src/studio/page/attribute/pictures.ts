/** @file Ways in for a picture: a file that is dropped, pasted or chosen, an example, or a link that names one. */
import type { ExampleInfo } from '../../facts.ts';
import { readPictureId } from '../../picture-id.ts';
import type { FrameEvent } from '../../protocol.ts';
import { announce } from '../state/announce.ts';
import { knownPicture, nameOf, readPicture, type ShownPicture } from '../state/picture-files.ts';
import { sentenceOf } from '../state/studio.ts';
import { EMPTY, panels, update } from './panels.ts';
import { play, skip } from './play.ts';
import { caption, notice, reading, showPicture } from './subject.ts';
import { boxes, draft, pointed } from './view.ts';

/** Maps, boxes and what is pointed at belong to a picture. */
function clear(): void {
  for (const panel of panels.peek()) {
    update(panel, EMPTY);
    panel.scrub.value = undefined;
    panel.part.value = undefined;
    panel.played.value = { image: 0, text: 0 };
  }
  boxes.value = [];
  draft.value = undefined;
  pointed.value = {};
}

/** The picture that a link named and that was not here: where its file is opened, its frame is shown. */
let awaited: string | undefined;

/** A link named a picture that is not here. */
export function awaitPicture(id: string): void {
  awaited = id;
}

/** The frame of the file that the link named, else what was read. */
async function frameOfLink(read: ShownPicture): Promise<ShownPicture> {
  const wanted = awaited;
  awaited = undefined;
  if (wanted === undefined || wanted === read.id || readPictureId(wanted).sha256 !== readPictureId(read.id).sha256) return read;
  return knownPicture(wanted);
}

/** Shows a file. @returns whether it is a picture; `notice` says what is wrong where it is not */
export async function openFile(file: File): Promise<boolean> {
  notice.value = undefined;
  reading.value = nameOf(file);
  try {
    const read = await frameOfLink(await readPicture(file));
    clear();
    showPicture(read);
    announce(`${read.name} is shown.`);
    return true;
  } catch (error) {
    notice.value = sentenceOf(error);
    announce(notice.value);
    return false;
  } finally {
    reading.value = undefined;
  }
}

/** Shows a picture that the backend has. @returns false where it has not (any more) */
export async function openKnown(id: string): Promise<boolean> {
  try {
    const known = await knownPicture(id);
    clear();
    showPicture(known);
    return true;
  } catch {
    return false;
  }
}

/** An example in the build's list. */
export interface StoredEntry extends ExampleInfo {
  /** File names next to the page. */
  readonly file: string;
  readonly frames: string;
}

/** What the build stored of an example: its frames by the shipped model. */
interface StoredExample extends ExampleInfo {
  readonly method: string;
  readonly frames: readonly (Omit<FrameEvent, 'tokens'> & { readonly tokens: readonly number[] })[];
}

/** A file of the page's own examples; they need no backend. */
const fetchExample = (file: string): Promise<Response> =>
  fetch(new URL(`examples/${file}`, document.baseURI)).then(response => {
    if (!response.ok) throw new Error(`examples/${file} is not there`);
    return response;
  });

let list: Promise<readonly StoredEntry[]> | undefined;

/** The examples that the build stored; none where they are not there. */
export function exampleList(): Promise<readonly StoredEntry[]> {
  list ??= fetchExample('examples.json')
    .then(response => response.json() as Promise<readonly StoredEntry[]>)
    .catch(() => []);
  return list;
}

const addresses = new Map<string, Promise<string>>();

/** A blob's address of an example's picture: the page's policy admits pictures from memory only. Kept as long as the page. */
export function exampleThumb({ file }: StoredEntry): Promise<string> {
  let address = addresses.get(file);
  if (!address) {
    address = fetchExample(file)
      .then(response => response.blob())
      .then(blob => URL.createObjectURL(blob));
    addresses.set(file, address);
  }
  return address;
}

/** Shows an example at once, with the frames that the build computed, while the backend warms up. @returns whether it is there */
export async function showStored(id: string, moving: boolean): Promise<boolean> {
  const entry = (await exampleList()).find(each => each.id === id);
  if (!entry) return false;
  const [stored, url] = await Promise.all([
    fetchExample(entry.frames).then(response => response.json() as Promise<StoredExample>),
    exampleThumb(entry),
  ]);
  clear();
  showPicture({ ...stored.picture, url, example: id });
  caption.value = stored.caption;
  const panel = panels.peek()[0];
  if (panels.peek().length > 1 || panel.method.peek() !== stored.method || Object.keys(panel.options.peek()).length > 0) return true;
  const frames = stored.frames.map(frame => ({ ...frame, tokens: Float32Array.from(frame.tokens) }));
  update(panel, {
    ...EMPTY,
    status: 'done',
    image: frames.filter(frame => frame.modality === 'image'),
    text: frames.filter(frame => frame.modality === 'text'),
  });
  if (moving) play();
  else skip(panel);
  return true;
}
