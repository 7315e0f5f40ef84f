/** @file Frames that are kept with a result, so that another tab that asks for it can play them too; for any backend. */
import type { FrameEvent } from './protocol.ts';

/** Bytes of maps that a result may keep; of longer runs every other frame goes until they fit. The first and the last stay. */
const MOST_BYTES = 2e6;

/** The frames as they are sent again. */
export function keptFrames(frames: readonly FrameEvent[], most = MOST_BYTES): readonly FrameEvent[] {
  const bytes = frames.reduce((sum, { tokens }) => sum + tokens.byteLength, 0);
  if (bytes <= most || frames.length <= 2) return frames.map(frame => ({ ...frame, kept: true }));
  const runs = new Map<string, FrameEvent[]>();
  for (const frame of frames) {
    const key = `${frame.modality} ${frame.seed}`;
    runs.set(key, [...(runs.get(key) ?? []), frame]);
  }
  const fewer = new Set([...runs.values()].flatMap(run => run.filter((_, i) => i % 2 === 0 || i === run.length - 1)));
  if (fewer.size === frames.length) return frames.map(frame => ({ ...frame, kept: true }));
  return keptFrames(
    frames.filter(frame => fewer.has(frame)),
    most,
  );
}
