/** @file What EMI is measured on: items of a picture, a question, the model's answer and a reference; and how they are embedded. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import { unitRows } from '../distances/rows.ts';
import { jointEmbedding } from './embedding.ts';
import type { EmbeddedSet } from './emid.ts';
import type { EmiEncoders } from './encoders.ts';

/** A picture of an item. */
export interface EmiPicture {
  /** The same for the same picture of a set: it is embedded once, and errors are clustered by the first picture's. */
  readonly id: string;
  read(): Promise<RgbImage>;
}

/** One answered question. */
export interface EmiItem {
  /** The same for the same question under another shift: items are paired by it. */
  readonly key: string;
  /** At least one; the embeddings of several are averaged. */
  readonly pictures: readonly EmiPicture[];
  readonly question: string;
  /** The model's. */
  readonly answer: string;
  /** What should have been said. */
  readonly reference: string;
  /** How right the answer is, 0 to 1, where it was scored. */
  readonly score?: number;
}

/** Items under one condition. */
export interface EmiSet {
  readonly name: string;
  readonly items: readonly EmiItem[];
  /** What was assumed or left out when it was read. */
  readonly warnings?: readonly string[];
}

/** A set as vectors of length 1, with z, the joint embedding of picture and question. */
export interface EmbeddedItems extends EmbeddedSet {
  readonly z: readonly Float64Array[];
  readonly warnings: readonly string[];
}

/** Embeds a set. @throws NarrowsError for a set without items, an item without a picture, an unreadable picture; the signal's reason when it aborts */
export async function embedSet(encoders: EmiEncoders, { name, items }: EmiSet, signal?: AbortSignal): Promise<EmbeddedItems> {
  if (items.length === 0) throw new NarrowsError(`The set ${name} has no items.`);
  const pictures = new Map<string, Float64Array>();
  const waiting = new Map<string, RgbImage>();
  const flush = async (): Promise<void> => {
    signal?.throwIfAborted();
    const rows = await encoders.pictures.embed([...waiting.values()]);
    [...waiting.keys()].forEach((id, i) => void pictures.set(id, rows[i]));
    waiting.clear();
  };
  for (const { key, pictures: shown } of items) {
    if (shown.length === 0) throw new NarrowsError(`The item ${key} of ${name} has no picture; EMI needs one with each question.`);
    for (const picture of shown)
      if (!pictures.has(picture.id) && !waiting.has(picture.id)) {
        waiting.set(picture.id, await picture.read());
        if (waiting.size === 16) await flush();
      }
  }
  if (waiting.size > 0) await flush();
  const visual = items.map(({ pictures: shown }) => meanRow(shown.map(({ id }) => pictures.get(id)!)));
  const warnings: string[] = [];
  const embed = async (part: 'question' | 'answer' | 'reference'): Promise<readonly Float64Array[]> => {
    signal?.throwIfAborted();
    const got = await encoders.texts.embed(
      items.map(item => item[part]),
      `${part}s of ${name}`,
    );
    warnings.push(...got.warnings);
    return unitRows(got.rows);
  };
  const [text, answer, reference] = [await embed('question'), await embed('answer'), await embed('reference')];
  return { visual: unitRows(visual), text, answer, reference, z: jointEmbedding(visual, text, encoders.joining), warnings };
}

function meanRow(rows: readonly Float64Array[]): Float64Array {
  if (rows.length === 1) return rows[0];
  return rows[0].map((_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);
}
