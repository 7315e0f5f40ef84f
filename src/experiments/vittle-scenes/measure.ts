/** @file One tuned model sits all exams: answers item by item, and how far its representations moved from the clean ones. */

import { pairedCosineDistance } from '../../evaluation/distances/paired-cosine.ts';
import { representationJsd } from '../../evaluation/distances/rjsd.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { examine } from '../../tuning/llava/scene-eval.ts';
import type { SceneTuneTask } from '../../tuning/llava/scene-tune.ts';
import type { PreparedExam } from './exams.ts';
import { RepresentationCollector, type Representations } from './representations.ts';

/** What one exam gave. */
export interface ExamOutcome {
  /** Per item `1` where the answer was exactly right. */
  readonly correct: string;
  /** Per item the share of the answer's tokens that were right, thousandths. */
  readonly tokens: readonly number[];
  /** Per item the log-probability of what the model says itself, nats (see `ExamAnswers`); runs of older versions have none. */
  readonly said?: readonly number[];
  /** Mean log-likelihood of the right answers' tokens, nats. */
  readonly log_likelihood: number;
  /** Distances of representations from the clean exam's; cosine only where items are the same. */
  readonly distance: {
    readonly rjsd_visual: number;
    readonly rjsd_text: number;
    readonly cosine_visual?: number;
    readonly cosine_text?: number;
  };
}

type Vectors = readonly (Float32Array | undefined)[];

/** Rows that both have. */
function both(a: Vectors, b: Vectors): [Float32Array[], Float32Array[]] {
  const places = a.flatMap((vector, i) => (vector && b[i] ? [i] : []));
  return [places.map(i => a[i]!), places.map(i => b[i]!)];
}

const present = (vectors: Vectors): Float32Array[] => vectors.filter(v => v !== undefined);

function distances(clean: Representations, shifted: Representations, paired: boolean): ExamOutcome['distance'] {
  const rjsd = (of: keyof Representations): number => representationJsd(present(clean[of]), present(shifted[of]));
  const cosine = (of: keyof Representations): number => mean(pairedCosineDistance(...both(clean[of], shifted[of])));
  const jsd = { rjsd_visual: rjsd('visual'), rjsd_text: rjsd('text') };
  return paired ? { ...jsd, cosine_visual: cosine('visual'), cosine_text: cosine('text') } : jsd;
}

/** @param layer block whose output (after the bottleneck, where it has one) is compared; @param exams the clean one first */
export async function measure(
  task: SceneTuneTask,
  config: LlavaConfig,
  exams: readonly PreparedExam[],
  layer: number,
  signal?: AbortSignal,
): Promise<Record<string, ExamOutcome>> {
  const graph = await task.examiner([layer]);
  const feeds = task.feeds();
  const out: Record<string, ExamOutcome> = {};
  let clean: Representations | undefined;
  try {
    for (const { id, rows, features, paired } of exams) {
      const collector = new RepresentationCollector(rows);
      const { correct, tokenAccuracy, logLikelihood, answerLogProbability } = await examine(
        { graph, config, rows, features, feeds },
        {
          signal,
          onBatch: (batch, of, modality) => collector.take(batch[`hidden.${layer}`] as FloatTensor, of, modality),
        },
      );
      clean ??= collector.result;
      out[id] = {
        correct: correct.map(Number).join(''),
        tokens: tokenAccuracy.map(share => Math.round(share * 1000)),
        // Digits enough to order answers that the model is nearly sure of.
        said: answerLogProbability.map(value => Number(value.toPrecision(4))),
        log_likelihood: mean(logLikelihood),
        distance: distances(clean, collector.result, paired),
      };
    }
  } finally {
    await graph.release();
  }
  return out;
}
