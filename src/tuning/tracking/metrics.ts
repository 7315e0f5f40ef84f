/** @file `metrics.jsonl`: one JSON object per line, `step` first. */
import { readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { readError } from '../../system/read-error.ts';
import { AppendFile } from './append-file.ts';

/** What is measured at a step. Numbers that JSON lacks are written as the texts `NaN`, `Infinity` and `-Infinity`. */
export type Metrics = Readonly<Record<string, number | string | boolean | null>>;

const toLine = (step: number, metrics: Metrics): string =>
  `${JSON.stringify({ step, ...metrics }, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))}\n`;

/** Whether a line belongs to what a run resumed after `lastStep` has already done. */
function isKept(line: string, lastStep: number, evaluationPending: boolean): boolean {
  try {
    const { step, ...metrics } = JSON.parse(line);
    if (evaluationPending && step === lastStep && Object.keys(metrics).some(key => key.startsWith('eval_'))) return false;
    return !(step > lastStep);
  } catch {
    return false;
  }
}

/** Writer of a metrics file. */
export class MetricsFile {
  private constructor(private readonly file: AppendFile) {}

  /**
   * Opens a metrics file. A new run (no `lastStep`) starts it afresh. A resumed run keeps the lines up to and including `lastStep`, the step
   * of the checkpoint it resumes from; later lines and one cut off in the middle are dropped, since their steps will be run again.
   * @param evaluationPending whether the evaluation of `lastStep` will be run again too
   * @throws NarrowsError when the file cannot be read or written.
   */
  static async open(path: string, lastStep?: number, evaluationPending = false): Promise<MetricsFile> {
    let kept = '';
    let found: string | undefined;
    if (lastStep !== undefined) {
      found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw readError(path, error);
      });
      const lines = (found ?? '').split('\n').slice(0, -1);
      kept = lines
        .filter(line => isKept(line, lastStep, evaluationPending))
        .map(line => `${line}\n`)
        .join('');
    }
    if (found === undefined || kept !== found) await writeFileAtomic(path, kept);
    return new MetricsFile(new AppendFile(path));
  }

  /** Appends one line. @throws NarrowsError when it cannot be written. */
  write(step: number, metrics: Metrics): void {
    this.file.append(Buffer.from(toLine(step, metrics)));
  }

  close(): void {
    this.file.close();
  }
}

/** Whether a line holds figures of training steps, not an evaluation's. */
export const isTraining = (metrics: Metrics): boolean => !Object.keys(metrics).some(key => key.startsWith('eval_'));

/** What a line warns of, a sentence each. */
export const warningsOf = ({ warning }: Metrics): string[] => (typeof warning === 'string' ? warning.split('\n') : []);

/** A line of metrics.jsonl. */
export type MetricsLine = Metrics & { readonly step: number };

/**
 * The lines of a directory's metrics.jsonl in order; empty where there is none. A line that a crash cut short, or that is no figures of a
 * step, is passed over.
 * @param lastStep lines of later steps are left out
 */
export async function readMetrics(directory: string, lastStep = Number.POSITIVE_INFINITY): Promise<MetricsLine[]> {
  const text = await readFile(join(directory, 'metrics.jsonl'), 'utf8').catch(() => '');
  return text.split('\n').flatMap(line => {
    try {
      const json = JSON.parse(line);
      return typeof json?.step === 'number' && json.step <= lastStep ? [json as MetricsLine] : [];
    } catch {
      return [];
    }
  });
}

/** The figures of the last evaluation in a directory's metrics.jsonl, or of that at `step`; empty where there is none. */
export async function lastEvaluation(directory: string, step?: number): Promise<Record<string, number>> {
  const text = await readFile(join(directory, 'metrics.jsonl'), 'utf8').catch(() => '');
  const line = text
    .trimEnd()
    .split('\n')
    .findLast(l => l.includes('"eval_') && (step === undefined || JSON.parse(l).step === step));
  if (!line) return {};
  const entries = Object.entries(JSON.parse(line) as Record<string, unknown>);
  return Object.fromEntries(entries.filter((e): e is [string, number] => e[0].startsWith('eval_') && typeof e[1] === 'number'));
}
