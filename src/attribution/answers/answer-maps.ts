/** @file From maps of a row's tokens to maps of the picture's cells and of the prompt's tokens. */
import type { TokenMap } from '../method.ts';
import type { AnsweredRow } from './answer-row.ts';

/** Per modality, one map of a target. */
export interface SideMaps {
  readonly image?: TokenMap;
  readonly text?: TokenMap;
}

/** A token's value goes to the cells that it shows, in equal shares, so that sums hold. */
export function cellValues({ picture, imagePlaces }: AnsweredRow, tokens: Float32Array): Float32Array {
  const out = new Float32Array(picture.grid[0] * picture.grid[1]);
  imagePlaces.forEach((at, i) => {
    const cells = picture.tokenCells[i];
    for (const cell of cells) out[cell] += tokens[at] / cells.length;
  });
  return out;
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
