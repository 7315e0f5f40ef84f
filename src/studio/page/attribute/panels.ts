/** @file Panels: one to four methods side by side, each with its options, its frames and its result. */
import { type Signal, signal } from '@preact/signals';
import type { FrameEvent, ProgressEvent, ResultEvent } from '../../protocol.ts';
import { MOST_PANELS } from './limits.ts';

/** Where a panel's work stands. `stopped`: by the person, with the frames until then. */
export type PanelStatus = 'empty' | 'waiting' | 'running' | 'done' | 'stopped' | 'failed';

/** What a panel has to show. */
export interface PanelState {
  readonly status: PanelStatus;
  /** Frames by tower, in the order of steps. */
  readonly image: readonly FrameEvent[];
  readonly text: readonly FrameEvent[];
  readonly result?: ResultEvent;
  readonly progress?: ProgressEvent;
  readonly warnings: readonly string[];
  /** One sentence. */
  readonly failure?: string;
}

/** A method on the page. */
export interface Panel {
  readonly id: number;
  readonly method: Signal<string>;
  /** Options that differ from the defaults. */
  readonly options: Signal<Readonly<Record<string, unknown>>>;
  readonly state: Signal<PanelState>;
  /** Frames that have been played so far, by tower. */
  readonly played: Signal<{ readonly image: number; readonly text: number }>;
  /** The step that the person scrubbed to, from 1; undefined: the latest. */
  readonly scrub: Signal<number | undefined>;
  /** The word of an explained answer whose map stays; undefined: the whole answer's. */
  readonly part: Signal<number | undefined>;
}

/** A panel that has computed nothing. What may be missing is named too: a state that this is laid over keeps nothing of what it was. */
export const EMPTY: PanelState = {
  ...{ status: 'empty', image: [], text: [], warnings: [] },
  ...{ result: undefined, progress: undefined, failure: undefined },
};

let next = 1;

/** A new panel. */
export const newPanel = (method: string, options: Record<string, unknown> = {}): Panel => ({
  id: next++,
  method: signal(method),
  options: signal(options),
  state: signal(EMPTY),
  played: signal({ image: 0, text: 0 }),
  scrub: signal(undefined),
  part: signal(undefined),
});

/** The panels, in their order. */
export const panels = signal<readonly Panel[]>([newPanel('m2ib')]);
/** The panel whose options and run the side shows. */
export const active = signal(0);

/** The panel that the side shows. */
export const activePanel = (): Panel => panels.value[Math.min(active.value, panels.value.length - 1)];

/** Puts one more method beside the others. */
export function addPanel(method: string): void {
  if (panels.peek().length >= MOST_PANELS) return;
  panels.value = [...panels.peek(), newPanel(method)];
  active.value = panels.peek().length - 1;
}

/** Takes a panel away; the last one stays. */
export function removePanel(panel: Panel): void {
  if (panels.peek().length === 1) return;
  panels.value = panels.peek().filter(each => each !== panel);
  active.value = Math.min(active.peek(), panels.peek().length - 1);
}

/** Changes a part of a panel's state. */
export function update(panel: Panel, change: Partial<PanelState>): void {
  panel.state.value = { ...panel.state.peek(), ...change };
}
