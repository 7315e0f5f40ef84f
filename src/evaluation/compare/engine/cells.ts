/** @file The cells of a comparison: what they hold, how they are named, and the file that keeps them. */
import { z } from 'zod';
import { CellStore } from '../../../jobs/store.ts';
import { access, readdir, rm } from '../../../node/disk.ts';
import { join } from '../../../node/paths.ts';
import { NarrowsError } from '../../../system/errors.ts';

const mapSchema = z.strictObject({
  /** float32 values of the players, little-endian, base64. */
  map: z.base64(),
  /** Work and time per map, beyond the encoding of the pair. */
  forward: z.number(),
  backward: z.number(),
  seconds: z.number(),
  /** See `MapCost`; absent in cells of older versions. */
  cold: z.boolean().optional(),
  lead: z.boolean().optional(),
});
const curvesSchema = z.strictObject({ insertion: z.array(z.number()), deletion: z.array(z.number()) });
const valueSchema = z.strictObject({
  /** null where the metric is not defined for the map. */
  value: z.number().nullable(),
  seconds: z.number(),
});
const cosineSchema = z.strictObject({ cosine: z.number() });
const cellSchema = z.union([mapSchema, valueSchema, curvesSchema, cosineSchema]);

/** A map as it is kept. */
export type StoredMap = z.infer<typeof mapSchema>;
/** Mean cosines as players come and go, best first; from no change to all changed. */
export type Curves = z.infer<typeof curvesSchema>;
/** A metric's value of a map. */
export type StoredValue = z.infer<typeof valueSchema>;
/** What a cell of a comparison holds. */
export type CompareCell = z.infer<typeof cellSchema>;

/** Names of cells; `pair`, `method` and `metric` are keys of all that determines them. */
export const cellKey = {
  map: (pair: string, method: string, seed: number): string => `${pair}/${method}/map/${seed}`,
  value: (pair: string, method: string, metric: string, seed: number): string => `${pair}/${method}/${metric}/${seed}`,
  curves: (pair: string, method: string): string => `${pair}/${method}/curves`,
  /** Of picture and caption. */
  cosine: (pair: string): string => `${pair}/cosine`,
};

/** Cells that are finished. */
export interface CompareCells {
  result(key: string): CompareCell | undefined;
  failure(key: string): string | undefined;
}

const FILE = 'cells.jsonl';
/** Folders of randomised models, which end with their run. */
export const RANDOMISED = 'randomised-';

/**
 * Opens the cells of a comparison.
 * @param readOnly another process may be at work on it
 * @throws NarrowsError (usage) for a comparison of an older version: a metric that failed there looks like one that is not defined
 */
export async function openCells(
  directory: string,
  options: { readonly readOnly?: boolean; readonly onWarning?: (message: string) => void } = {},
): Promise<CellStore<CompareCell>> {
  const there = (name: string): Promise<boolean> =>
    access(join(directory, name)).then(
      () => true,
      () => false,
    );
  if (!(await there(FILE)) && (await there('cache')))
    throw new NarrowsError(
      `${directory} holds a comparison of an older version, where metrics that failed are stored as not defined; choose another --output.`,
      { kind: 'usage' },
    );
  return CellStore.open(join(directory, FILE), { kind: 'compare', version: 1, schema: cellSchema, ...options });
}

/** Removes randomised models of runs that were killed. */
export async function removeRandomised(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [] as string[]);
  for (const name of names) if (name.startsWith(RANDOMISED)) await rm(join(directory, name), { recursive: true, force: true });
}
