/** @file Events between a job and who reads them. A slow reader misses frames and progress that newer ones stand for, never anything else. */
import type { StudioEvent } from '../../studio/protocol.ts';

/** Of frames and progress, what a newer one makes useless; undefined for events that must arrive. */
function subjectOf(event: StudioEvent): string | undefined {
  if (event.kind === 'progress') return `progress ${event.method ?? ''}`;
  if (event.kind === 'rows') return 'rows';
  // The last frame is the map: it always arrives.
  if (event.kind === 'frame' && event.step < event.steps) return `frame ${event.method} ${event.modality} ${event.seed}`;
  return undefined;
}

/** Events that may wait before older frames give way to newer ones. */
const CROWDED = 64;

/** A stream of events, read once. */
export class EventBuffer implements AsyncIterable<StudioEvent> {
  private events: StudioEvent[] = [];
  private ended = false;
  private wake: (() => void) | undefined;

  /** Adds an event; nothing once the stream has ended. */
  add(event: StudioEvent): void {
    if (this.ended) return;
    if (this.events.length >= CROWDED) {
      const subject = subjectOf(event);
      if (subject !== undefined) this.events = this.events.filter(old => subjectOf(old) !== subject);
    }
    this.events.push(event);
    this.wake?.();
  }

  /** Adds the last event. */
  end(event: StudioEvent): void {
    this.add(event);
    this.ended = true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StudioEvent, void, undefined> {
    for (;;) {
      const event = this.events.shift();
      if (event) yield event;
      else if (this.ended) return;
      else
        await new Promise<void>(wake => {
          this.wake = wake;
        });
    }
  }
}
