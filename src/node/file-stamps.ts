/** @file Whether files are still the same, without reading them. */
import { stat } from 'node:fs/promises';

/** Sizes in bytes and times of change of files; null for one that cannot be looked at. */
export const fileStamps = (paths: readonly string[]): Promise<(readonly [number, number] | null)[]> =>
  Promise.all(
    paths.map(path =>
      stat(path).then(
        ({ size, mtimeMs }) => [size, mtimeMs] as const,
        () => null,
      ),
    ),
  );
