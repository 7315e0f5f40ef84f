/** @file The sets that flags ask for, read, with how their pictures are read and shifted. */
import { loadSets } from '../../evaluation/run/load-sets.ts';
import type { ShiftMeans } from '../../evaluation/run/scenario.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { Context, Options } from '../command.ts';
import { pictureOptions } from '../picture-flags.ts';
import { shiftMeans } from './shift-means.ts';
import { wantedSets } from './wanted.ts';

/** Sets and what they are asked with. */
export interface OpenSets extends Awaited<ReturnType<typeof loadSets>> {
  readonly pictures: ImageReadOptions;
  readonly means: ShiftMeans;
  /** What tells the means from others; undefined for the default ones. */
  readonly meansKey?: Readonly<Record<string, unknown>>;
}

/** Reads the sets: the same in every process that has the same flags. @throws NarrowsError as `wantedSets`, `shiftMeans` and `loadSets` */
export async function openSets(context: Pick<Context, 'log' | 'seed' | 'signal' | 'status'>, options: Options): Promise<OpenSets> {
  const wanted = await wantedSets(options);
  const pictures = pictureOptions(context, options);
  const { means, key } = await shiftMeans(options);
  const loaded = await loadSets(wanted, {
    data: options.data as string | undefined,
    limit: options.limit as number | undefined,
    fields: options.fields as Record<string, string> | undefined,
    seed: context.seed,
    pictures,
    leaveOut: options.suite !== undefined,
    signal: context.signal,
    onSet: ({ title }) => context.status(`Reading ${title}`),
  });
  context.status();
  return { ...loaded, pictures, means, ...(key ? { meansKey: key } : {}) };
}
