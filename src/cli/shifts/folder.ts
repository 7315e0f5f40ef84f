/** @file Which pictures a folder holds, and what they are called in the output. */
import { createHash } from 'node:crypto';
import { readdir, realpath } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import type { Context } from '../command.ts';
import type { Format, PictureTask } from './pictures.ts';

const PICTURE = /\.(png|jpe?g|webp|gif|avif|tiff?|bmp|p[bgpn]m)$/i;

/** What a picture is called that is written as another kind of file: `a/b.jpg` becomes `a/b.png`. */
export function targetName(name: string, format: Format): string {
  const end = extname(name);
  const same = end.toLowerCase() === `.${format}` || (format === 'jpeg' && end.toLowerCase() === '.jpg');
  return same ? name : `${name.slice(0, name.length - end.length)}.${format === 'jpeg' ? 'jpg' : format}`;
}

/** @throws NarrowsError (usage) where an output lies inside of what is read, or the reverse: the next run would read its own pictures */
export async function checkApart(input: string, output: string): Promise<void> {
  const [a, b] = await Promise.all([input, output].map(path => realpath(path).catch(() => resolve(path))));
  if (`${b}${sep}`.startsWith(`${a}${sep}`) || `${a}${sep}`.startsWith(`${b}${sep}`))
    throw new NarrowsError(`--output ${output} and ${input} lie inside each other; choose a folder next to it.`, { kind: 'usage' });
}

/** A hash of names in their order: which pictures stand at which places. */
export const namesHash = (names: readonly string[]): string => createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 16);

/**
 * The pictures of a folder and of those in it, by their paths in the order of their characters' codes; their places are their numbers of sample.
 * @throws NarrowsError where there is none, or two would be written under one name
 */
export async function picturesOf(context: Context, folder: string, format: Format): Promise<PictureTask[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(error => {
    throw readError(folder, error);
  });
  const files = entries
    .filter(entry => !entry.isDirectory())
    .map(entry =>
      join(entry.parentPath, entry.name)
        .slice(folder.length)
        .replace(/^[\\/]+/, '')
        .split(sep)
        .join('/'),
    );
  const names = files.filter(name => PICTURE.test(name)).sort((a, b) => (a < b ? -1 : 1));
  const others = files.filter(name => !PICTURE.test(name));
  if (names.length === 0) throw new NarrowsError(`${folder} holds no pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF, BMP, PNM).`);
  if (others.length > 0)
    context.log.warn(
      `${others.length} ${others.length === 1 ? 'file of' : 'files of'} ${folder} ${others.length === 1 ? 'is no picture and is' : 'are no pictures and are'} left out: ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}.`,
    );
  const taken = new Map<string, string>();
  return names.map((name, sample) => {
    const target = targetName(name, format);
    const before = taken.get(target.toLowerCase());
    if (before !== undefined)
      throw new NarrowsError(`${join(folder, before)} and ${join(folder, name)} would both be written as ${target}; rename one of them.`);
    taken.set(target.toLowerCase(), name);
    return { source: join(folder, name), target, sample };
  });
}
