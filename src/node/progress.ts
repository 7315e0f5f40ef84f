/** @file Progress on stderr: a bar in a terminal, a plain line every ten seconds elsewhere, nothing when quiet. */

import { formatBytes, formatCount, formatDuration, formatNumber } from '../system/format.ts';
import { type ColourStream, createColours } from './colours.ts';
import { canRewrite, printLine, setStatus, type TextStream } from './status-line.ts';

/** Options of `createProgress`. */
export interface ProgressOptions {
  /** What is going on, e.g. `Training`. */
  readonly label: string;
  /** How many units make the whole; without it there is neither bar nor time left. */
  readonly total?: number;
  /** Unit of `done` and `total` in the plural, e.g. `steps`; `bytes` prints sizes. Default: none. */
  readonly unit?: string;
  /** Units that were done before (a resumed run or download): they do not count for the rate. Default 0. */
  readonly start?: number;
  /** Default `process.stderr`. */
  readonly stream?: TextStream & ColourStream;
  readonly quiet?: boolean;
  /** Its end leaves no line, since something else says what came of it. */
  readonly transient?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Clock in milliseconds, for tests. */
  readonly now?: () => number;
}

/** A running progress display; it holds no timer. Calls after `done` or `fail` do nothing. */
export interface Progress {
  /** `done`: units finished in all. `extra`: a few words such as `loss 0.123`, kept until the next one. */
  update(done: number, extra?: string): void;
  /** Everything is finished: leaves one line with the total time. */
  done(): void;
  /** Stopped before the end: leaves one line that says where. */
  fail(): void;
}

const DRAW_EVERY = 100;
const LINE_EVERY = 10_000;
/** Columns of the bar at most, and at least. */
const BAR = 24;
const SHORTEST_BAR = 6;
/** Time constant of the rate's moving average, seconds. */
const SMOOTHING = 15;
const EIGHTHS = ' ▏▎▍▌▋▊▉█';

/** Starts a progress display. */
export function createProgress(options: ProgressOptions): Progress {
  const {
    label,
    total,
    unit = '',
    start = 0,
    quiet = false,
    transient = false,
    stream = process.stderr,
    env = process.env,
    now = () => performance.now(),
  } = options;
  const live = canRewrite(stream, env);
  const colours = createColours(stream, env);
  const began = now();
  const rate = new Rate(began, start);
  let count = start;
  let words = '';
  let drawn = live ? Number.NEGATIVE_INFINITY : began;
  let open = !quiet;

  const amount = (value: number) => (unit === 'bytes' ? formatBytes(value) : formatCount(value));
  const units = unit && unit !== 'bytes' ? ` ${unit}` : '';
  const speed = (perSecond: number) => (unit === 'bytes' ? `${formatBytes(perSecond)}/s` : `${formatNumber(perSecond)}${units || ' '}/s`);
  const seconds = () => (now() - began) / 1000;
  const progress = () => (total === undefined ? `${amount(count)}${units}` : `${amount(count)} of ${amount(total)}${units}`);
  const share = () => (total === undefined ? undefined : total > 0 ? Math.min(1, Math.max(0, count / total)) : 1);

  function parts(): string {
    const pace = rate.perSecond;
    const list: string[] = [];
    const part = share();
    if (part !== undefined) list.push(`${String(Math.floor(part * 100)).padStart(3)} %`);
    list.push(progress());
    if (pace > 0) list.push(speed(pace));
    const elapsed = formatDuration(seconds());
    list.push(total !== undefined && pace > 0 && count < total ? `${elapsed}, ${formatDuration((total - count) / pace)} left` : elapsed);
    if (words) list.push(words);
    return list.join('  ');
  }

  /** The whole line; the bar takes what room the rest leaves. */
  function drawLine(): string {
    const text = parts();
    const part = share();
    const room = Math.min(BAR, (stream.columns || 80) - label.length - text.length - 5);
    return part === undefined || room < SHORTEST_BAR
      ? `${label} ${text}`
      : `${label} ${colours.style('cyan', drawBar(part, room))} ${text}`;
  }

  return {
    update(done, extra) {
      if (!open) return;
      count = done;
      if (extra !== undefined) words = extra;
      const time = now();
      rate.add(time, done);
      if (time - drawn < (live ? DRAW_EVERY : LINE_EVERY)) return;
      drawn = time;
      if (live) setStatus(stream, drawLine());
      else printLine(stream, `${label}: ${parts().trimStart()}`);
    },
    done() {
      if (!open) return;
      open = false;
      if (live) setStatus(stream, undefined);
      if (transient) return;
      const mean = seconds() > 0 ? (count - start) / seconds() : 0;
      const end = `${amount(count)}${units} in ${formatDuration(seconds())}`;
      printLine(stream, `${label}: ${end}${mean > 0 ? ` (${speed(mean)})` : ''}${words ? `  ${words}` : ''}`);
    },
    fail() {
      if (!open) return;
      open = false;
      if (live) setStatus(stream, undefined);
      printLine(stream, `${label}: stopped at ${progress()} after ${formatDuration(seconds())}`);
    },
  };
}

/** Moving average of a rate: old samples fade with time, and the mean is over what has been seen so far (no start from zero). */
class Rate {
  private units = 0;
  private seconds = 0;

  constructor(
    private time: number,
    private count: number,
  ) {}

  add(time: number, count: number): void {
    const passed = (time - this.time) / 1000;
    // Bursts of calls are gathered, so that a single quick one does not pass for a rate.
    if (passed < 0.2) return;
    const fade = Math.exp(-passed / SMOOTHING);
    this.units = this.units * fade + count - this.count;
    this.seconds = this.seconds * fade + passed;
    this.time = time;
    this.count = count;
  }

  get perSecond(): number {
    return this.seconds > 0 ? Math.max(0, this.units / this.seconds) : 0;
  }
}

function drawBar(part: number, width: number): string {
  const eighths = Math.round(part * width * 8);
  const full = '█'.repeat(eighths >> 3) + (eighths & 7 ? EIGHTHS[eighths & 7] : '');
  return `▕${full.padEnd(width)}▏`;
}
