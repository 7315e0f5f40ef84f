/** @file What every program of the torture gets. */

/** Bounds, seed and place of a run. */
export interface RunOptions {
  readonly seed: number;
  /** At most so many cases in all, those of the log included. */
  readonly cases: number;
  /** No new case begins after it, in milliseconds since 1970. */
  readonly until: number;
  /** Folder of worlds, logs and findings. */
  readonly output: string;
  /** Only what is of this kind, or has this in its name. */
  readonly only?: string;
  /** `false` leaves out folders of finished runs, which must be made first. */
  readonly resume?: boolean;
  /** A line for the person. */
  say(text: string): void;
}

/** A program: does its cases, and gives its figures as Markdown with the number of findings. */
export interface Program {
  readonly summary: string;
  /** Cases where `--cases` says nothing. */
  readonly cases: number;
  run(options: RunOptions): Promise<{ readonly figures: string; readonly findings: number }>;
}
