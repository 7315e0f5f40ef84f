/** @file What an attribution is written to: the kind of a file follows from its extension. */
import { stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { parsePictureReference } from '../../inputs/tables/picture-reference.ts';
import { writeFileAtomic } from '../../node/files.ts';
import type { FigureOptions } from '../../report/attribution/figure-options.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Kinds of file, by extension without the dot. */
export const KINDS = ['png', 'svg', 'html', 'json', 'safetensors'] as const;
/** One of `KINDS`. */
export type Kind = (typeof KINDS)[number];

/** A file to be written. */
export interface Target {
  readonly kind: Kind;
  readonly path: string;
}

const isKind = (text: string): text is Kind => (KINDS as readonly string[]).includes(text);

/**
 * Files to write for `--output` values. A directory (one that exists, ends with a slash or has no extension) gets a picture and a report
 * named after the image.
 * @throws NarrowsError for an extension that is none of `KINDS`
 */
export async function planTargets(outputs: readonly string[], image: string): Promise<Target[]> {
  const inside = parsePictureReference(image);
  const file = inside?.file ?? image;
  const name = `${basename(file, extname(file))}${inside ? `-${inside.row}-${inside.column.replace(/[^\w-]+/g, '-')}` : ''}.narrows`;
  const targets: Target[] = [];
  for (const output of outputs) {
    const extension = extname(output).slice(1).toLowerCase();
    const found = await stat(output).catch(() => undefined);
    if (found?.isDirectory() || /[/\\]$/.test(output) || (!found && extension === '')) {
      for (const kind of ['png', 'html'] as const) targets.push({ kind, path: join(output, `${name}.${kind}`) });
    } else if (isKind(extension)) targets.push({ kind: extension, path: output });
    else {
      throw new NarrowsError(
        `The output ${output} has no extension that Narrows knows: end it with ${KINDS.map(k => `.${k}`).join(', ')}, or give a directory.`,
        { kind: 'usage' },
      );
    }
  }
  return targets;
}

/** Kinds named between commas. @throws NarrowsError for one that does not exist */
export function parseKinds(names: readonly string[]): Kind[] {
  for (const name of names)
    if (!isKind(name)) throw new NarrowsError(`There is no format "${name}"; choose among ${KINDS.join(', ')}.`, { kind: 'usage' });
  return [...new Set(names)] as Kind[];
}

/** How results are drawn. `command`: what to type to get the result again. */
export interface DrawOptions extends Pick<FigureOptions, 'opacity' | 'theme' | 'outlines'> {
  readonly unit?: 'nats' | 'bits';
  readonly command: string;
}

/** Writes one file, whole or not at all. @throws NarrowsError when it cannot be written */
export async function writeTarget({ kind, path }: Target, result: Attribution, image: RgbImage, options: DrawOptions): Promise<void> {
  const figure = { unit: options.unit, opacity: options.opacity, theme: options.theme, outlines: options.outlines };
  switch (kind) {
    case 'png': {
      const { figurePng } = await import('../../report/attribution/raster.ts');
      return writeFileAtomic(path, await figurePng(result, image, figure));
    }
    case 'svg': {
      const { figureSvg } = await import('../../report/attribution/bound.ts');
      return writeFileAtomic(path, await figureSvg(result, image, figure));
    }
    case 'html': {
      const { reportHtml } = await import('../../report/attribution/bound.ts');
      return writeFileAtomic(path, await reportHtml([{ result, image, command: options.command }], { unit: options.unit }));
    }
    case 'json': {
      const { attributionToJson } = await import('../../report/attribution/json.ts');
      return writeFileAtomic(path, `${attributionToJson(result)}\n`);
    }
    case 'safetensors': {
      const { attributionTensors } = await import('../../report/attribution/json.ts');
      const { writeSafetensors } = await import('../../checkpoints/write.ts');
      const { caption, cosine, method, unit, parameters, provenance } = result;
      const facts = { caption, cosine, method, unit, parameters, provenance };
      return writeSafetensors(path, attributionTensors(result), { narrows: JSON.stringify(facts) });
    }
  }
}
