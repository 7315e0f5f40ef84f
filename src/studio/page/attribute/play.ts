/** @file Plays frames one after the other, never faster than the eye: a small model is done before one could look. */
import { mayMove } from '../state/theme.ts';
import { FRAME_MILLISECONDS } from './limits.ts';
import { isPlaying } from './maps.ts';
import { type Panel, panels } from './panels.ts';

let timer: ReturnType<typeof setTimeout> | undefined;

/** A long run is not played longer than a short one. */
const stride = (frames: number): number => Math.max(1, Math.round(frames / 40));

/** Shows everything that has come; the picture first, then the caption, as the gates were run. */
function advance(panel: Panel): void {
  const { image, text } = panel.state.peek();
  const played = panel.played.peek();
  if (!mayMove()) panel.played.value = { image: image.length, text: text.length };
  else if (played.image < image.length)
    panel.played.value = { ...played, image: Math.min(image.length, played.image + stride(image.length)) };
  else if (played.text < text.length) panel.played.value = { ...played, text: Math.min(text.length, played.text + stride(text.length)) };
}

/** Goes on playing until all frames that are there have been shown; called whenever frames come. */
export function play(): void {
  if (timer !== undefined) return;
  const step = (): void => {
    timer = undefined;
    const busy = panels.peek().filter(isPlaying);
    for (const panel of busy) advance(panel);
    if (busy.length > 0) timer = setTimeout(step, FRAME_MILLISECONDS);
  };
  step();
}

/** Plays a panel's frames from the first. */
export function replay(panel: Panel): void {
  panel.scrub.value = undefined;
  panel.played.value = { image: 0, text: 0 };
  play();
}

/** Shows the end at once. */
export function skip(panel: Panel): void {
  const { image, text } = panel.state.peek();
  panel.scrub.value = undefined;
  panel.played.value = { image: image.length, text: text.length };
}
