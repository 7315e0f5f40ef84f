/** @file Mean-pooled, normalised representations of an exam's scenes and questions at one block, as Vittle's analysis pools them. */
import { MODALITY } from '../../models/llava/placement.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { ExamRow } from '../../tuning/llava/scene-eval.ts';

/** Of so many items one gives its text: eigenvalues of more take longer than the exam itself. */
const EVERY = 4;

/** Unit vectors: one per scene (image tokens, which see no question), one per fourth item (prompt tokens of text). */
export interface Representations {
  readonly visual: (Float32Array | undefined)[];
  readonly text: (Float32Array | undefined)[];
}

/** Collects from batches of an exam. @param rows all rows of the exam, which tell items apart */
export class RepresentationCollector {
  readonly result: Representations;
  private readonly places: ReadonlyMap<ExamRow, number>;

  constructor(rows: readonly ExamRow[]) {
    this.places = new Map(rows.map((row, i) => [row, i]));
    this.result = { visual: [], text: new Array(rows.length) };
  }

  /** @param hidden [B, T, d]; @param modality int32 [B · T] */
  take(hidden: FloatTensor, rows: readonly ExamRow[], modality: Int32Array): void {
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
      const place = this.places.get(row)!;
      if (place % EVERY === 0) this.result.text[place] = pool(t => kind(t) === MODALITY.text && row.labels[t] === -100);
    }
  }
}
