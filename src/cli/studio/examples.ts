/** @file The examples that the studio offers: those that were built with the page, else the shipped one. */

import { join } from 'node:path';
import { z } from 'zod';
import { readFile } from '../../node/disk.ts';
import type { ExampleInfo } from '../../studio/facts.ts';
import { choosePair } from '../attribute/input.ts';
import type { PictureShelf } from './picture-shelf.ts';

const listed = z.array(z.object({ id: z.string(), caption: z.string(), file: z.string().regex(/^[\w-]+\.(png|jpg|webp)$/) }));

/** @param page the folder of the built page */
export async function loadExamples(pictures: PictureShelf, page: string | undefined): Promise<ExampleInfo[]> {
  const folder = page && join(page, 'examples');
  const text = folder && (await readFile(join(folder, 'examples.json'), 'utf8').catch(() => undefined));
  const found = text ? listed.parse(JSON.parse(text)) : [];
  const built = await Promise.all(
    found.map(async ({ id, caption, file }) => ({ id, caption, picture: (await pictures.addFile(join(folder!, file))).info })),
  );
  if (built.length > 0) return built;
  const { path, text: caption } = await choosePair(undefined, undefined);
  return [{ id: 'scene', caption, picture: (await pictures.addFile(path)).info }];
}
