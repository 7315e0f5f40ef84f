/** @file Frames on their way to the panels: handed over in handfuls, and thinned in long runs, so that the page stays at hand however fast they come. */
import type { FrameEvent } from '../../protocol.ts';
import { type Panel, update } from './panels.ts';

/** Milliseconds between two handfuls. */
const APART = 60;
/** Frames that a panel keeps per tower; beyond it, every other one goes. The first and the last stay. */
export const MOST_FRAMES = 240;

/** Half of the frames where there are too many. @returns the frames, and by what the number of those that were played shrinks */
export function thinned(frames: readonly FrameEvent[]): { readonly frames: readonly FrameEvent[]; readonly by: number } {
  if (frames.length <= MOST_FRAMES) return { frames, by: 1 };
  const last = frames.length - 1;
  return { frames: frames.filter((_, i) => i % 2 === 0 || i === last), by: 2 };
}

/** Frames of one run. */
export class FrameCollector {
  private readonly waiting = new Map<Panel, FrameEvent[]>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onFlush called after frames reached their panels */
  constructor(private readonly onFlush: () => void) {}

  /** Takes a frame. */
  add(panel: Panel, frame: FrameEvent): void {
    const list = this.waiting.get(panel) ?? [];
    list.push(frame);
    this.waiting.set(panel, list);
    this.timer ??= setTimeout(() => this.flush(), APART);
  }

  /** Hands over all that wait. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting.size === 0) return;
    for (const [panel, frames] of this.waiting)
      for (const modality of ['image', 'text'] as const) {
        const mine = frames.filter(frame => frame.modality === modality);
        if (mine.length === 0) continue;
        const { frames: kept, by } = thinned([...panel.state.peek()[modality], ...mine]);
        const played = panel.played.peek();
        if (by > 1) panel.played.value = { ...played, [modality]: Math.ceil(played[modality] / by) };
        update(panel, { [modality]: kept });
      }
    this.waiting.clear();
    this.onFlush();
  }
}
