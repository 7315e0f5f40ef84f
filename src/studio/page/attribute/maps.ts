/** @file What a panel shows now: its result, the frame that is being played, or the step that the person scrubbed to. */
import type { AnswerPartMap, Attribution, ImageAttribution, Interactions } from '../../../attribution/result.ts';
import type { FrameEvent } from '../../protocol.ts';
import type { Panel } from './panels.ts';
import { pointed } from './view.ts';

/** A map of a picture, as far as it is drawn. */
export type ImageMap = Pick<ImageAttribution, 'grid' | 'patches' | 'view' | 'pixels'>;

/** A word with its value, raw; where it stands in the caption. */
export interface WordValue {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly value: number;
  readonly unknown?: boolean;
}

/** What is shown. */
export interface Shown {
  readonly image?: ImageMap;
  readonly words?: readonly WordValue[];
  readonly interactions?: Interactions;
  readonly unit: 'nats' | 'score';
  /** The step of the frame, from 1; undefined for a result. */
  readonly step?: number;
}

/** What of a result is drawn. */
export type Explained = Pick<Attribution, 'image' | 'text' | 'answer' | 'unit' | 'interactions'>;

/** The word of an answer at a place; undefined for the whole, and where the answer was not taken apart. */
export const partAt = ({ answer }: Pick<Attribution, 'answer'>, part: number | undefined): AnswerPartMap | undefined =>
  part === undefined ? undefined : answer?.parts[part];

/** Maps of the whole answer, or of one of its words. */
export function shownOfAnswer(attribution: Explained, part: number | undefined): Shown {
  const { image, text, unit, interactions } = attribution;
  const one = partAt(attribution, part);
  if (!one) return { image, words: text?.words, interactions, unit };
  const { patches, words } = one;
  return {
    unit,
    image: image && patches ? { grid: image.grid, view: image.view, patches } : undefined,
    words: words && text?.words.map((word, i) => ({ ...word, value: words[i] })),
  };
}

/** The map of an image frame. */
export function frameMap(frame: FrameEvent): ImageMap | undefined {
  if (!frame.image) return undefined;
  const { prefixTokens, grid, view } = frame.image;
  return { grid, view, patches: frame.tokens.subarray(prefixTokens, prefixTokens + grid[0] * grid[1]) };
}

/** The last step that the panel has a frame of; 0 without any. Frames may be left out in between. */
export const lastStep = (panel: Panel): number =>
  Math.max(panel.state.value.image.at(-1)?.step ?? 0, panel.state.value.text.at(-1)?.step ?? 0);

/** The newest frame up to a step; the first where all are later. */
export const frameAt = (frames: readonly FrameEvent[], step: number): FrameEvent | undefined =>
  frames.findLast(frame => frame.step <= step) ?? frames[0];

/** Whether frames are still to be played. */
export function isPlaying(panel: Panel): boolean {
  const { image, text } = panel.state.value;
  const played = panel.played.value;
  return played.image < image.length || played.text < text.length;
}

const UNIT = 'nats';

/** What the panel shows. Frames are of methods with a gate: nats. */
export function shownOf(panel: Panel): Shown {
  const { image, text, result, status } = panel.state.value;
  const played = panel.played.value;
  const scrub = panel.scrub.value;
  const framed = scrub !== undefined || isPlaying(panel) || (!result && image.length + text.length > 0) || status === 'running';
  if (framed && image.length + text.length > 0) {
    const pick = (frames: readonly FrameEvent[], count: number): FrameEvent | undefined =>
      scrub === undefined ? frames[Math.min(count, frames.length) - 1] : frameAt(frames, scrub);
    const [seen, said] = [pick(image, played.image), pick(text, played.text)];
    return {
      image: seen && frameMap(seen),
      words: said?.words,
      unit: UNIT,
      step: scrub ?? Math.max(seen?.step ?? 0, said?.step ?? 0),
    };
  }
  return result ? shownOfAnswer(result.attribution, partOf(panel)) : { unit: UNIT };
}

/** The word of the answer that is shown: the one that is pointed at, or the one that was kept. */
export const partOf = (panel: Panel): number | undefined => pointed.value.part ?? panel.part.value;

/** Sum of a frame's map: patches, or words. */
export function frameTotal(frame: FrameEvent): number {
  const map = frameMap(frame);
  const values: Iterable<number> = map ? map.patches : (frame.words ?? []).map(word => word.value);
  let total = 0;
  for (const value of values) total += value;
  return total;
}
