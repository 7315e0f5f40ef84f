/** @file Weights for runtimes that map files: ONNX names them by paths below one directory. */
import { dirname, relative, resolve } from '../node/paths.ts';
import type { WeightPlacement, WeightRange } from './runtime.ts';

/** The deepest directory that holds all files, or undefined where there are none. */
function commonFolder(files: readonly string[]): string | undefined {
  let common: string[] | undefined;
  for (const folder of new Set(files.map(file => dirname(resolve(file))))) {
    const parts = folder.split('/');
    if (!common) common = parts;
    else {
      const differs = common.findIndex((part, i) => part !== parts[i]);
      if (differs >= 0) common = common.slice(0, differs);
    }
  }
  return common && (common.join('/') || '/');
}

/** Names weights by their paths below the deepest directory that holds them all. */
export function mappedWeights(weights: readonly WeightRange[]): WeightPlacement {
  const externalFolder = commonFolder(weights.map(({ file }) => file));
  return {
    locations: weights.map(({ file, offset, length }) => ({ location: relative(externalFolder!, file), offset, length })),
    options: externalFolder === undefined ? {} : { externalFolder },
  };
}
