/**
 * @file Finished runs of the experiment: `outcome.json` in each run's folder, with a checksum. A file per run, not one for all: runs may be
 * shared out over machines, and their folders put together afterwards.
 */
import { z } from 'zod';
import type { Outcome, Pace } from '../../jobs/cell.ts';
import type { PaceFile } from '../../jobs/pace-file.ts';
import type { Store } from '../../jobs/run.ts';
import { openLine, sealLine } from '../../jobs/store.ts';
import { readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { readError } from '../../system/read-error.ts';
import type { RunOutcome } from './analyse.ts';

const distance = z.looseObject({ rjsd_visual: z.number(), rjsd_text: z.number() });
const posterior = z.looseObject({ figures: z.record(z.string(), z.number()), warnings: z.array(z.string()) });
const schema = z.looseObject({
  posterior: posterior.optional(),
  condition: z.string(),
  seed: z.number(),
  outcomes: z.record(
    z.string(),
    z.looseObject({
      correct: z.string().regex(/^[01]*$/),
      tokens: z.array(z.number()),
      said: z.array(z.number()).optional(),
      log_likelihood: z.number(),
      distance,
    }),
  ),
});

/** Outcomes by folder, relative to the experiment's directory. */
export class OutcomeStore implements Store<RunOutcome> {
  private readonly known = new Map<string, RunOutcome>();

  constructor(
    private readonly directory: string,
    private readonly onWarning: (message: string) => void = () => {},
    private readonly times?: PaceFile,
  ) {}

  /**
   * Looks for the outcome of a run. One that is damaged, or of another run, is not believed: the run is done again, from its checkpoint.
   * One of an older version has no checksum and is believed where its form is right.
   */
  async look(folder: string, condition: string, seed: number): Promise<void> {
    const path = join(this.directory, folder, 'outcome.json');
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw readError(path, error);
    });
    if (text === undefined) return;
    const sealed = /"sum":"[0-9a-f]*"\}\s*$/.test(text);
    const value = sealed ? openLine(text.trimEnd()) : parse(text);
    const parsed = schema.safeParse(value);
    if (parsed.success && parsed.data.condition === condition && parsed.data.seed === seed) {
      if (!sealed) this.onWarning(`${path} is of an older version and has no checksum; it is taken as it is.`);
      this.known.set(folder, parsed.data as unknown as RunOutcome);
    } else this.onWarning(`${path} is damaged or of another run; the run is measured again.`);
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
    await writeFileAtomic(join(this.directory, key, 'outcome.json'), `${sealLine(outcome.result)}\n`);
    this.known.set(key, outcome.result);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
