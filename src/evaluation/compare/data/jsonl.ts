/**
 * @file Pairs with their truth as JSON lines or CSV: image, text, and of box, boxes ([left, top, width, height] in pixels) or mask (path of a picture
 * that is white where the thing is) one, for captions `named`: the words of the text that the picture shows.
 */

import { decodeImage } from '../../../inputs/image/decode.ts';
import type { ListedPair } from '../../../inputs/pairs/pair-rows.ts';
import { readPairs } from '../../../inputs/pairs/read-pairs.ts';
import { dirname, isAbsolute, join } from '../../../node/paths.ts';
import { NarrowsError } from '../../../system/errors.ts';
import { RandomStream } from '../../../tensor/random.ts';
import { cellValue, checkInside, listedBoxes } from './boxes.ts';
import { emptyMask, fillBox } from './masks.ts';
import { pictureSize } from './picture-size.ts';
import type { DataSpec, Mask, SampleSource } from './sample.ts';

interface Line {
  readonly where: string;
  readonly line: number;
  readonly image: string;
  readonly path: string;
  readonly text: string;
  readonly boxes?: readonly number[][];
  readonly mask?: string;
  readonly named?: readonly (readonly [number, number])[];
  readonly further?: Readonly<Record<string, unknown>>;
}

/** Every line is checked before anything is computed. @throws NarrowsError naming file and line */
export async function openJsonl(spec: Extract<DataSpec, { kind: 'jsonl' }>): Promise<SampleSource> {
  const { file, seed } = spec;
  const all: Line[] = [];
  for (const pair of await readPairs(file)) all.push(await readLine(pair, file, spec.pictures));
  const chosen =
    spec.samples !== undefined && spec.samples < all.length
      ? new RandomStream(seed, 'compare.jsonl').reader(0, 0).shuffle(all).slice(0, spec.samples)
      : all;
  const listed = spec.modalities.flatMap(modality => chosen.map(line => ({ line, modality })));
  const nameOf = ({ line, modality }: (typeof listed)[number]) => ({ id: `${line.line}/${modality}`, group: 'data', modality });
  return {
    description: file,
    names: listed.map(nameOf),
    async read(index) {
      const { line, modality } = listed[index];
      const pair = { image: await decodeImage(line.path, spec.pictures), text: line.text, imageName: line.image };
      const truth = modality === 'image' ? await truthOf(line, pair.image) : undefined;
      const { further, named } = line;
      return { ...nameOf(listed[index]), pair, truth, further, named: modality === 'text' ? named : undefined };
    },
  };
}

/** Columns that say where the truth is. */
const TRUTH = new Set(['box', 'boxes', 'mask', 'named']);

async function readLine(pair: ListedPair, file: string, pictures: DataSpec['pictures']): Promise<Line> {
  const { image, text: caption, where, line: number } = pair;
  const { box, boxes, mask, named } = Object.fromEntries(
    Object.entries(pair.further).map(([key, value]) => [key.trim(), cellValue(value)]),
  );
  const further = Object.fromEntries(Object.entries(pair.further).filter(([key]) => !TRUTH.has(key.trim())));
  if ([box, boxes, mask].filter(v => v !== undefined).length > 1)
    throw new NarrowsError(`${where}: give only one of box, boxes and mask; they say the same thing.`);
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(dirname(file), path));
  const size = await pictureSize(absolute(image), where, pictures);
  const list = listedBoxes(pair.further, where);
  for (const each of list ?? []) checkInside(each, size, where);
  if (mask !== undefined) {
    if (typeof mask !== 'string') throw new NarrowsError(`${where}: mask must be the path of a picture.`);
    const maskSize = await pictureSize(absolute(mask), where);
    if (maskSize.width !== size.width || maskSize.height !== size.height)
      throw new NarrowsError(
        `${where}: the mask is ${maskSize.width} x ${maskSize.height} pixels, but the picture is ${size.width} x ${size.height}.`,
      );
  }
  return {
    where,
    line: number,
    image,
    path: absolute(image),
    text: caption,
    boxes: list,
    mask: mask === undefined ? undefined : absolute(mask as string),
    named: named === undefined ? undefined : spansOf(named, caption, where),
    ...(Object.keys(further).length > 0 ? { further } : {}),
  };
}

function spansOf(named: unknown, text: string, where: string): (readonly [number, number])[] {
  const list = Array.isArray(named) ? named : [named];
  return list.map(part => {
    const at = typeof part === 'string' && part !== '' ? text.indexOf(part) : -1;
    if (at < 0) throw new NarrowsError(`${where}: named must list parts of the text; ${JSON.stringify(part)} is not in it.`);
    return [at, at + (part as string).length] as const;
  });
}

async function truthOf(line: Line, picture: { width: number; height: number }): Promise<Mask | undefined> {
  if (!line.boxes && !line.mask) return undefined;
  const truth = emptyMask(picture.width, picture.height);
  for (const box of line.boxes ?? []) fillBox(truth, box);
  if (line.mask) {
    const { data } = await decodeImage(line.mask);
    for (let i = 0; i < truth.data.length; i++) truth.data[i] = data[3 * i] > 127 ? 1 : 0;
  }
  if (!truth.data.includes(1)) throw new NarrowsError(`${line.where}: the ground truth marks no pixel.`);
  return truth;
}
