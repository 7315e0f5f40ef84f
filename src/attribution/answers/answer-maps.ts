/** @file From maps of a row's tokens to maps of the picture's cells and of the prompt's tokens. */
import type { TokenMap } from '../method.ts';
import type { AnsweredRow } from './answer-row.ts';

/** Per modality, one map of a target. */
export interface SideMaps {
  readonly image?: TokenMap;
  readonly text?: TokenMap;
}

/** A token's value goes to the cells that it shows, in equal shares, so that sums hold. @param shown cells of each value */
function spread([rows, columns]: readonly [number, number], shown: readonly (readonly number[])[], value: (i: number) => number) {
  const out = new Float32Array(rows * columns);
  shown.forEach((cells, i) => {
    for (const cell of cells) out[cell] += value(i) / cells.length;
  });
  return out;
}

/** Values of a row's tokens on the picture's cells. */
export const cellValues = ({ picture, imagePlaces }: AnsweredRow, tokens: Float32Array): Float32Array =>
  spread(picture.grid, picture.tokenCells, i => tokens[imagePlaces[i]]);

/** A map over the vision tower's output, [N], on the picture's cells. */
export function towerMap({ picture }: AnsweredRow, map: TokenMap): TokenMap {
  const { tokens, standardError, pixels: _, ...rest } = map;
  const cells = (values: Float32Array): Float32Array => spread(picture.grid, picture.towerCells!, i => values[i]);
  return { ...rest, tokens: cells(tokens), ...(standardError ? { standardError: cells(standardError) } : {}) };
}

/** Values of the prompt's tokens; those of the template, which play no part, are 0. */
export const promptValues = ({ promptTokens }: AnsweredRow, tokens: Float32Array): Float32Array =>
  Float32Array.from(promptTokens, token => (token.special ? 0 : tokens[token.at]));

/** Both sides of a map over the row, [T]. */
export function splitMap(row: AnsweredRow, map: TokenMap): SideMaps {
  const { tokens, standardError, pixels: _, ...rest } = map;
  const side = (pick: (row: AnsweredRow, tokens: Float32Array) => Float32Array): TokenMap => ({
    ...rest,
    tokens: pick(row, tokens),
    ...(standardError ? { standardError: pick(row, standardError) } : {}),
  });
  return { image: side(cellValues), text: side(promptValues) };
}
