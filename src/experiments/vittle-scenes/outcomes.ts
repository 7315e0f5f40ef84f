/**
 * @file Finished runs of the experiment: a file each in `results`, with a checksum. A file per run, not one for all: runs may be shared out over
 * machines, and their files put together afterwards. It is all that is needed of a run: its checkpoints may go.
 */

import { z } from 'zod';
import type { Outcome, Pace } from '../../jobs/cell.ts';
import type { PaceFile } from '../../jobs/pace-file.ts';
import type { Store } from '../../jobs/run.ts';
import { openLine, sealLine } from '../../jobs/store.ts';
import { readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { gunzipText, gzipText } from '../../node/gzip.ts';
import { createHash } from '../../node/hash.ts';
import { join } from '../../node/paths.ts';
import { readError } from '../../system/read-error.ts';
import { type CompactOutcome, packOutcome, unpackOutcome } from './compact.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';

const distance = z.looseObject({ rjsd_visual: z.number(), rjsd_text: z.number().optional() });
const posterior = z.looseObject({ figures: z.record(z.string(), z.number()), warnings: z.array(z.string()) });
const exam = { correct: z.string().regex(/^[01]*$/), log_likelihood: z.number(), distance };
const run = { posterior: posterior.optional(), condition: z.string(), seed: z.number() };
const schema = z.looseObject({
  ...run,
  outcomes: z.record(z.string(), z.looseObject({ ...exam, tokens: z.array(z.number()), said: z.array(z.number()).optional() })),
});
const compactSchema = z.looseObject({
  ...{ ...run, exams: z.string() },
  outcomes: z.record(
    z.string(),
    z.looseObject({
      ...exam,
      tokens: z.record(z.string(), z.number()),
      said: z.string().optional(),
      wrong: z.array(z.string()).optional(),
    }),
  ),
});

/** What exams ask, in few letters: outcomes of other exams are not put beside these. */
export const examsKey = (exams: readonly ExamFacts[]): string =>
  createHash('sha256').update(JSON.stringify(exams)).digest('hex').slice(0, 16);

/** The file of a run, from the experiment's directory. @param folder of the run, such as `runs/plain-0` */
export const resultFile = (folder: string): string => `${folder.replace(/^runs\//, 'results/')}.json.gz`;

/** What one run's file gave. */
type Found = { readonly outcome: RunOutcome; readonly old?: string } | { readonly wrong: string } | undefined;

/** Outcomes by folder, relative to the experiment's directory. */
export class OutcomeStore implements Store<RunOutcome> {
  private readonly known = new Map<string, RunOutcome>();

  /** @param exams that runs sit */
  constructor(
    private readonly directory: string,
    private readonly exams: readonly ExamFacts[],
    private readonly onWarning: (message: string) => void = () => {},
    private readonly times?: PaceFile,
  ) {}

  /**
   * Looks for the outcome of a run. One that is damaged, of another run or of other exams is not believed: the run is done again, from its
   * checkpoint where that is still there. One of an older version (`outcome.json` in the run's folder) is believed where its form is right.
   */
  async look(folder: string, condition: string, seed: number): Promise<void> {
    const found = (await this.packed(folder)) ?? (await this.plain(folder));
    if (!found) return;
    if ('wrong' in found) {
      this.onWarning(found.wrong);
      return;
    }
    const { outcome, old } = found;
    const path = join(this.directory, folder);
    if (outcome.condition !== condition || outcome.seed !== seed)
      this.onWarning(`The outcome of ${path} is damaged or of another run; the run is measured again.`);
    else if (!this.fits(outcome)) this.onWarning(`The outcome of ${path} is of other exams than these; the run is measured again.`);
    else {
      if (old) this.onWarning(old);
      this.known.set(folder, outcome);
    }
  }

  /** Whether every exam has an answer for every question. */
  private fits({ outcomes }: RunOutcome): boolean {
    return this.exams.every(({ id, items }) => outcomes[id]?.correct.length === items.length);
  }

  private async packed(folder: string): Promise<Found> {
    const path = join(this.directory, resultFile(folder));
    const bytes = await readFile(path).catch(missing(path));
    if (bytes === undefined) return undefined;
    const parsed = compactSchema.safeParse(attempt(() => openLine(gunzipText(bytes).trimEnd())));
    if (!parsed.success) return { wrong: `${path} is damaged or of another run; the run is measured again.` };
    const { exams, ...rest } = parsed.data;
    if (exams !== examsKey(this.exams)) return { wrong: `${path} is of other exams than these; the run is measured again.` };
    return { outcome: unpackOutcome(rest as unknown as CompactOutcome) };
  }

  private async plain(folder: string): Promise<Found> {
    const path = join(this.directory, folder, 'outcome.json');
    const text = await readFile(path, 'utf8').catch(missing(path));
    if (text === undefined) return undefined;
    const sealed = /"sum":"[0-9a-f]*"\}\s*$/.test(text);
    const parsed = schema.safeParse(attempt(() => (sealed ? openLine(text.trimEnd()) : JSON.parse(text))));
    if (!parsed.success) return { wrong: `${path} is damaged or of another run; the run is measured again.` };
    const outcome = parsed.data as unknown as RunOutcome;
    return { outcome, ...(sealed ? {} : { old: `${path} is of an older version and has no checksum; it is taken as it is.` }) };
  }

  has(key: string): boolean {
    return this.known.has(key);
  }

  pace(kind: string): Pace | undefined {
    return this.times?.pace(kind);
  }

  async keepPace(kind: string, pace: Pace): Promise<void> {
    await this.times?.keepPace(kind, pace);
  }

  /** The outcome of a run. */
  result(key: string): RunOutcome | undefined {
    return this.known.get(key);
  }

  async put(key: string, outcome: Outcome<RunOutcome>): Promise<void> {
    if (!('result' in outcome)) return;
    const line = sealLine({ ...packOutcome(outcome.result), exams: examsKey(this.exams) });
    await writeFileAtomic(join(this.directory, resultFile(key)), gzipText(`${line}\n`));
    this.known.set(key, outcome.result);
  }
}

const missing =
  (path: string) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw readError(path, error);
  };

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
