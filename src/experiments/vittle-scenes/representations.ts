/** @file Mean-pooled, normalised representations of an exam's scenes and questions at one block, as Vittle's analysis pools them. */
import { MODALITY } from '../../models/llava/placement.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { PackedRow } from '../../tuning/llava/packed-exam.ts';

/** Of so many items one gives its text: eigenvalues of more take longer than the exam itself. */
const EVERY = 4;

/** Whether any question of an exam is among those whose representations are compared. @param origin see `PreparedExam` */
export const compared = (items: number, origin?: readonly number[]): boolean =>
  Array.from({ length: items }, (_, i) => origin?.[i] ?? i).some(place => place % EVERY === 0);

type Vectors = (Float32Array | undefined)[];

/** Unit vectors: one per scene (image tokens, which see no question), one per fourth item (prompt tokens of text). */
export interface Representations {
  readonly visual: Vectors;
  /** By the item's number in the clean exam, where it has one. */
  readonly text: Vectors;
}

/** Collects from batches of an exam. */
export class RepresentationCollector {
  readonly result: Representations = { visual: [], text: [] };

  /** @param origin numbers of the exam's items in the clean exam; its own where it is not a shift of that */
  constructor(private readonly origin: readonly number[] | undefined) {}

  /** @param hidden [B, T, d]; @param modality int32 [B · T] */
  take(hidden: FloatTensor, rows: readonly PackedRow[], modality: Int32Array): void {
    const [, length, width] = hidden.shape;
    for (const [b, row] of rows.entries()) {
      const pool = (wanted: (t: number) => boolean): Float32Array | undefined => {
        const sum = new Float32Array(width);
        for (let t = 0; t < row.ids.length; t++)
          if (wanted(t)) for (let i = 0; i < width; i++) sum[i] += hidden.data[(b * length + t) * width + i];
        const norm = Math.hypot(...sum);
        return norm > 0 ? sum.map(x => x / norm) : undefined;
      };
      const kind = (t: number): number => modality[b * length + t];
      this.result.visual[row.scene] ??= pool(t => kind(t) === MODALITY.image);
      for (const [k, item] of row.items.entries()) {
        const place = this.origin?.[item] ?? item;
        // The words in front of the picture belong to every question.
        const asks = (t: number): boolean => (row.turns[t] === 0 || row.turns[t] === k + 1) && row.labels[t] === -100;
        if (place % EVERY === 0) this.result.text[place] = pool(t => kind(t) === MODALITY.text && asks(t));
      }
    }
  }
}
