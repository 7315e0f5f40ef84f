/** @file Opens the data of a set: the place, the tables in it that are wanted, their rows. */
import { type DataPlace, findData, parquetShards, type Shards } from '../../../inputs/tables/data-folder.ts';
import { tableRows } from '../../../inputs/tables/read-table.ts';
import type { TableRow } from '../../../inputs/tables/table.ts';
import { join } from '../../../node/paths.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { Benchmark, LoadOptions } from '../benchmark.ts';

/** Finds the data that were given. @throws NarrowsError that says where to get the set where nothing was given or nothing is there */
export async function openPlace({ title, source }: Pick<Benchmark, 'title' | 'source'>, options: LoadOptions): Promise<DataPlace> {
  if (options.data === undefined || options.data === '')
    throw new NarrowsError(`${title} needs its data: give --data with a folder or file (${source}).`, { kind: 'usage' });
  return findData(options.data);
}

/** What messages call a place. */
export const nameOf = (place: DataPlace): string => place.file ?? place.folder;

/** Paths of the files whose name (without folders) matches, those nearest to the top first. */
export function filesNamed(place: DataPlace, pattern: RegExp): string[] {
  const depth = (path: string): number => path.split('/').length;
  return place.files
    .filter(path => pattern.test(path.slice(path.lastIndexOf('/') + 1)))
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
    .map(path => (place.file !== undefined ? place.file : join(place.folder, path)));
}

/** Rows of several files, one after the other. */
export async function* rowsOf(files: readonly string[], signal?: AbortSignal): AsyncGenerator<TableRow> {
  for (const file of files) yield* tableRows(file, signal);
}

/**
 * The parquet files of a set: the split that was asked for, else the first of `wanted` that is there, else the only one.
 * @returns undefined where the place holds no parquet files
 * @throws NarrowsError naming the splits where none fits
 */
export function shardsFor(place: DataPlace, wanted: readonly string[], split?: string): readonly Shards[] | undefined {
  const all = parquetShards(place);
  if (all.length === 0) return undefined;
  if (place.file !== undefined) return all;
  for (const name of split === undefined ? wanted : [split]) {
    const found = all.filter(one => one.split === name);
    if (found.length > 0) return found;
  }
  const splits = [...new Set(all.map(one => one.split))];
  if (splits.length === 1 && split === undefined) return all;
  throw new NarrowsError(
    `${place.folder} has the splits ${splits.join(', ')}, none of them ${(split === undefined ? wanted : [split]).join(' or ')}; choose one of them or give one of its files.`,
  );
}

/**
 * The shards of one config where a place holds several (the hub keeps languages and years side by side): the usual one, else the first; what
 * is passed over is said. @param usual of the config's folder
 */
export function oneConfig(shards: readonly Shards[], usual: RegExp, warn: (sentence: string) => void): readonly Shards[] {
  const configs = [...new Set(shards.map(one => one.config))];
  if (configs.length < 2) return shards;
  const chosen = configs.find(config => usual.test(config)) ?? configs[0];
  const others = configs.filter(config => config !== chosen).join(', ');
  warn(`The data hold several configs: "${chosen}" is taken, ${others} ignored; give the folder of another with --data.`);
  return shards.filter(one => one.config === chosen);
}

/** @throws NarrowsError: nothing in the place has one of the forms that are read */
export function nothingOf(benchmark: Pick<Benchmark, 'title' | 'format'>, place: DataPlace): NarrowsError {
  const seen = place.files.slice(0, 5).join(', ');
  return new NarrowsError(
    `${nameOf(place)} holds no questions of ${benchmark.title}; it reads: ${benchmark.format} (there: ${seen || 'no files'}).`,
  );
}
