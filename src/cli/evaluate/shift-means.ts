/** @file What shifts are made with, by the flags of `narrows evaluate`: textures, translations, a reference size. */
import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import type { ShiftMeans } from '../../evaluation/run/scenario.ts';
import { readFile } from '../../node/disk.ts';
import { readFrostTextures } from '../../shifts/frost-textures.ts';
import { readTranslations } from '../../shifts/translations.ts';
import type { Options } from '../command.ts';
import { number } from '../flags.ts';

/** Declares the flags. */
export function addShiftMeans(command: Command): Command {
  return command
    .option('--frost-textures <dir>', 'frost1 to frost5 as imagecorruptions ships them (default: a texture of our own, which results say)')
    .option(
      '--translations <file>',
      'with scenarios that translate: JSON lines of {text, language, translation} or {question_id, language, text}',
    )
    .option(
      '--reference-size <pixels>',
      'scale lengths of shifts by (shorter side / this), as published for 224 (default: published pixels)',
      number(1),
    );
}

/** Means of shifts, and what tells them from others; neither where nothing was asked for. */
export async function shiftMeans(
  options: Options,
): Promise<{ readonly means: ShiftMeans; readonly key?: Readonly<Record<string, unknown>> }> {
  const {
    frostTextures: folder,
    translations: file,
    referenceSize,
  } = options as {
    frostTextures?: string;
    translations?: string;
    referenceSize?: number;
  };
  const frostTextures = folder === undefined ? undefined : await readFrostTextures(folder);
  const translator = file === undefined ? undefined : await readTranslations(file);
  const hash = (parts: readonly Uint8Array[]): string => {
    const sum = createHash('sha256');
    for (const part of parts) sum.update(part);
    return sum.digest('hex').slice(0, 16);
  };
  const key = {
    ...(frostTextures ? { frostTextures: hash(frostTextures.map(({ data }) => data)) } : {}),
    ...(file === undefined ? {} : { translations: hash([await readFile(file)]) }),
    ...(referenceSize === undefined ? {} : { referenceSize }),
  };
  const means: ShiftMeans = {
    ...(frostTextures ? { frostTextures } : {}),
    ...(translator ? { translator } : {}),
    ...(referenceSize === undefined ? {} : { referenceSize }),
  };
  return Object.keys(key).length > 0 ? { means, key } : { means };
}
