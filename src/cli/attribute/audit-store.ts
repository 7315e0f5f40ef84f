/** @file What an audit has finished: the records of its pairs, believed only where the files that they name are there as they were written. */
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CellStore } from '../../jobs/store.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { AuditRecord } from './audit-record.ts';

/** A record with the sizes of its files in bytes, in their order. */
export interface FinishedPair {
  readonly record: AuditRecord;
  readonly sizes: readonly number[];
}

const schema = z.object({
  record: z.looseObject({
    image: z.string(),
    caption: z.string(),
    verdict: z.string(),
    // Records of before have a thumbnail on a scale of its own, and no size.
    width: z.number(),
    height: z.number(),
    files: z.array(z.string()),
  }),
  sizes: z.array(z.number()),
}) as unknown as z.ZodType<FinishedPair>;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Opens the records of an audit.
 * @throws NarrowsError (usage) for a directory with an audit of an older version, whose records cannot be checked
 */
export async function openAuditStore(directory: string, onWarning: (message: string) => void): Promise<CellStore<FinishedPair>> {
  const path = join(directory, 'cells.jsonl');
  if (!(await exists(path)) && (await exists(join(directory, '.done'))))
    throw new NarrowsError(
      `${directory} holds an audit of an older version, whose records have no checksums; delete the directory or choose another --output.`,
      { kind: 'usage' },
    );
  return CellStore.open(path, { kind: 'attribute', version: 1, schema, onWarning });
}

/** Sizes of files. @param paths relative to `directory` @returns -1 for one that is not there */
export const fileSizes = (directory: string, paths: readonly string[]): Promise<number[]> =>
  Promise.all(
    paths.map(path =>
      stat(join(directory, path)).then(
        ({ size }) => size,
        () => -1,
      ),
    ),
  );

/** Whether the files of a record are all there, with the sizes that they had. */
export async function filesAreThere(directory: string, { record, sizes }: FinishedPair): Promise<boolean> {
  const now = await fileSizes(directory, record.files);
  return now.length === sizes.length && now.every((size, i) => size === sizes[i]);
}
