/** @file From samples of a long job to a verdict: is memory flat, are handles, was the event loop free? */

/** What a job says on the way. */
export interface Sample {
  /** Steps done. */
  readonly done: number;
  /** Resident. */
  readonly megabytes: number;
  readonly handles: number;
  /** Longest work of the main thread between two turns of its event loop since the last sample, milliseconds; where it is known. */
  readonly work?: number;
  /** For how long of that V8 collected garbage. */
  readonly collecting?: number;
}

/** The share of a job that counts as warm-up. */
const WARM = 0.25;
/** By how much memory may grow or fall from the middle of what follows to its end. */
const FLAT = 0.05;
/** Handles come and go with pictures that are being read. */
const HANDLES = 4;
/** Milliseconds. */
const BLOCKED = 50;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** A job's figures. */
export interface Judged {
  readonly steps: number;
  /** Medians of the first and the last third after warm-up. */
  readonly early: number;
  readonly late: number;
  readonly growth: number;
  readonly handles: readonly [number, number];
  /** Median and largest of the samples' longest work between two turns. */
  readonly work?: readonly [number, number];
  readonly findings: readonly string[];
}

/** Judges a job. */
export function judgeSamples(samples: readonly Sample[]): Judged {
  const steps = samples.at(-1)?.done ?? 0;
  const warm = samples.filter(({ done }) => done > WARM * steps);
  if (warm.length < 6) return { steps, early: 0, late: 0, growth: 0, handles: [0, 0], findings: [`only ${warm.length} samples`] };
  const third = Math.floor(warm.length / 3);
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  const [early, late] = [first, last].map(some => median(some.map(({ megabytes }) => megabytes)));
  const growth = late / early - 1;
  const handles = [first, last].map(some => median(some.map(one => one.handles))) as [number, number];
  const works = warm.flatMap(({ work }) => (work === undefined ? [] : [work]));
  const work = works.length > 0 ? ([median(works), Math.max(...works)] as const) : undefined;
  const findings: string[] = [];
  // Less is no leak.
  if (growth > FLAT) findings.push(`memory grew by ${(100 * growth).toFixed(1)} %, from ${early.toFixed(0)} to ${late.toFixed(0)} MB`);
  if (handles[1] - handles[0] > HANDLES) findings.push(`handles grew from ${handles[0]} to ${handles[1]}`);
  if (work && work[1] > BLOCKED) {
    const collecting = warm.find(one => one.work === work[1])?.collecting ?? 0;
    findings.push(`the event loop was blocked for ${work[1].toFixed(0)} ms of work, ${collecting.toFixed(0)} of them collecting garbage`);
  }
  return { steps, early, late, growth, handles, work, findings };
}
