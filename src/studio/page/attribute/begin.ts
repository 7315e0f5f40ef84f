/** @file The view's beginning: the link or the first example at once, then the model, then the real run. */
import { effect } from '@preact/signals';
import { writeFragment } from '../state/fragment.ts';
import { place } from '../state/place.ts';
import { backend, info, model, openModel } from '../state/studio.ts';
import { boxesOf } from './geometry.ts';
import { panels } from './panels.ts';
import { applyLink, linkParameters } from './permalink.ts';
import { awaitPicture, openKnown, showStored } from './pictures.ts';
import { run } from './run.ts';
import { caption, notice, picture } from './subject.ts';
import { boxes } from './view.ts';

/** The example that a bare address shows. */
const FIRST = 'night';

let begun = false;
let following = false;
/** The model that somebody asked for last. */
let wanted: string | undefined;

/** Another view brings its own picture: the view does not begin with an example. */
export function enter(): void {
  begun = true;
  follow();
}

/** Shows what the address asks for; once. */
export async function begin(): Promise<void> {
  if (begun) return;
  begun = true;
  const { parameters } = place.peek();
  applyLink(parameters);
  const example = parameters.example ?? (parameters.picture ? undefined : FIRST);
  const text = parameters.text;
  const stored = example !== undefined && (await showStored(example, text === undefined));
  // The frames are of the example's own caption.
  if (stored && text !== undefined && text !== caption.peek()) {
    const panel = panels.peek()[0];
    panel.state.value = { ...panel.state.peek(), status: 'empty', image: [], text: [] };
    caption.value = text;
  }
  const stopWaiting = effect(() => {
    if (!backend.value || !info.value) return;
    queueMicrotask(() => stopWaiting());
    void connected(parameters, stored);
  });
}

async function connected(parameters: Readonly<Record<string, string>>, stored: boolean): Promise<void> {
  const named = parameters.picture ?? info.peek()?.examples.find(each => each.id === parameters.example)?.picture.id;
  if (!stored && !picture.peek() && named && !(await openKnown(named))) {
    awaitPicture(named);
    notice.value = `This link shows a picture that is not here (its SHA-256 begins with ${named.slice(0, 8)}). Pictures never travel in links: open the same file, and the page is as it was sent.`;
  } else if (!stored && !picture.peek() && !named) {
    const first = info.peek()?.examples[0];
    if (first && (await openKnown(first.picture.id))) caption.value ||= first.caption;
  }
  const shown = picture.peek();
  if (shown) boxes.value = boxesOf(parameters.boxes, shown);
  await useModel(parameters.model ?? wanted ?? info.peek()!.model, stored);
  follow();
}

/** Opens a model and explains what is shown by it. @param quiet its maps are shown already */
export async function useModel(reference: string, quiet = false): Promise<void> {
  wanted = reference;
  const opened = await openModel(reference, found => {
    if (wanted !== reference) return;
    model.value = found;
    serve();
  });
  if (!opened || wanted !== reference) return;
  await run({ quiet });
}

/** Methods that the model does not serve give way to the first that does. */
function serve(): void {
  const served = model.peek()?.methods ?? [];
  const usual = served.includes('m2ib') ? 'm2ib' : served[0];
  if (usual === undefined) return;
  for (const panel of panels.peek())
    if (!served.includes(panel.method.peek())) {
      panel.method.value = usual;
      panel.options.value = {};
    }
}

/** From now on the address follows the page, and a link that is followed changes it. */
function follow(): void {
  if (following) return;
  following = true;
  let written = location.hash;
  effect(() => {
    const parameters = linkParameters(model.value?.id);
    const { view, parameters: given } = place.value;
    if (view !== 'attribute' && view !== '') return;
    const fragment = writeFragment({ view: 'attribute', parameters });
    const came = writeFragment({ view: 'attribute', parameters: given });
    if (location.hash !== written && Object.keys(given).length > 0 && came !== fragment) {
      written = location.hash;
      queueMicrotask(() => void revisit());
      return;
    }
    written = fragment;
    if (fragment !== location.hash) history.replaceState(null, '', fragment);
  });
}

/** A link that was typed or followed while the page is open. */
async function revisit(): Promise<void> {
  begun = false;
  picture.value = undefined;
  notice.value = undefined;
  await begin();
}
