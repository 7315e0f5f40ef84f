/** @file Embeddings of what goes into a model: pictures and questions as one vector per item. */
import { NarrowsError } from '../../system/errors.ts';
import { type Rows, unitRows } from '../distances/rows.ts';

/** How the embeddings of picture and question become one. `mean`: (v + t) / 2, as published; `concatenate`: v and t one behind the other, over √2. */
export type Joining = 'mean' | 'concatenate';

/**
 * Rows of pictures and questions joined; each is brought to length 1 first, the result is left as it is (mllmshift-emi).
 * @throws NarrowsError for different numbers of rows, or, for `mean`, different widths
 */
export function jointEmbedding(visual: Rows, text: Rows, joining: Joining = 'mean'): Float64Array[] {
  if (visual.length !== text.length)
    throw new NarrowsError(`There are ${visual.length} pictures but ${text.length} questions; each item has both.`);
  const [v, t] = [unitRows(visual), unitRows(text)];
  if (joining === 'concatenate') return v.map((row, i) => Float64Array.from([...row, ...t[i]], x => x / Math.SQRT2));
  if (v[0].length !== t[0].length)
    throw new NarrowsError(
      `Pictures are embedded with ${v[0].length} values and texts with ${t[0].length}, so that their mean is not defined; concatenate them, or choose encoders of one width.`,
    );
  return v.map((row, i) => row.map((x, k) => (x + t[i][k]) / 2));
}

/** The published joining where widths allow it, concatenation where not. */
export const joiningFor = (visualWidth: number, textWidth: number): Joining => (visualWidth === textWidth ? 'mean' : 'concatenate');
