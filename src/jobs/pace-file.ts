/** @file How long tasks took, in a small file: for stores whose cells stand in files that are shared out, where no other lines belong. */

import { z } from 'zod';
import { readFile, rm } from '../node/disk.ts';
import { writeFileAtomic } from '../node/files.ts';
import { parsePlain } from '../system/json-depth.ts';
import type { Pace } from './cell.ts';

const schema = z.record(z.string(), z.strictObject({ units: z.number().positive(), seconds: z.number().nonnegative() }));

/** The paces of a run by the kind of its tasks, on the disk: what `Store.pace` and `Store.keepPace` ask for. */
export class PaceFile {
  private constructor(
    private readonly path: string,
    private readonly paces: Map<string, Pace>,
  ) {}

  /** Reads what an earlier run left; a file that cannot be read is said and replaced, since nothing but an estimate depends on it. */
  static async open(path: string, onWarning: (message: string) => void = () => {}): Promise<PaceFile> {
    let paces: Record<string, Pace> = {};
    try {
      paces = schema.parse(parsePlain(await readFile(path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        onWarning(`The times of the last run in ${path} cannot be read; what is left is estimated anew.`);
    }
    return new PaceFile(path, new Map(Object.entries(paces)));
  }

  /** How long tasks of a kind took in the last run that kept it. */
  pace(kind: string): Pace | undefined {
    return this.paces.get(kind);
  }

  /** Keeps how long tasks of a kind take. @throws NarrowsError where it cannot be written */
  async keepPace(kind: string, { units, seconds }: Pace): Promise<void> {
    this.paces.set(kind, { units, seconds: Number(seconds.toPrecision(4)) });
    await writeFileAtomic(this.path, `${JSON.stringify(Object.fromEntries(this.paces))}\n`);
  }

  /** Removes the file: all is done, and nothing is left to estimate. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
