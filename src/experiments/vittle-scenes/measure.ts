/** @file One tuned model sits all exams: answers item by item, and how far its representations moved from the clean ones. */

import { pairedCosineDistance } from '../../evaluation/distances/paired-cosine.ts';
import { representationJsd } from '../../evaluation/distances/rjsd.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { completeAnswers, examinePacked, type PackedAnswers } from '../../tuning/llava/packed-exam.ts';
import type { Examiner } from '../../tuning/llava/scene-eval.ts';
import type { SceneTuneTask } from '../../tuning/llava/scene-tune.ts';
import { roundConfidence } from './compact.ts';
import { chatTokenizer, type ExamGroup, type PreparedExam } from './exams/exam.ts';
import type { ExamOutcome } from './outcome.ts';
import { RepresentationCollector, type Representations } from './representations.ts';

/** Groups whose probabilities calibration reads. */
export const CALIBRATED: readonly ExamGroup[] = ['clean', 'image'];
/** Groups whose wrong answers are kept, for EMID. */
export const WORDED: readonly ExamGroup[] = ['clean', 'image', 'text'];
/** Tokens of an answer that a judge reads. */
const LONGEST = 32;

type Vectors = readonly (Float32Array | undefined)[];

/** Rows that both have. */
function both(a: Vectors, b: Vectors): [Float32Array[], Float32Array[]] {
  const places = a.flatMap((vector, i) => (vector && b[i] ? [i] : []));
  return [places.map(i => a[i]!), places.map(i => b[i]!)];
}

const present = (vectors: Vectors): Float32Array[] => vectors.filter(v => v !== undefined);
/** Digits that a distance is kept with. */
const short = (value: number): number => Number(value.toPrecision(5));

/** Groups whose words are others than the clean exam's. */
const REWORDED: readonly ExamGroup[] = ['text', 'joint', 'tail'];

/** @param samePictures the clean exam's, whose image tokens see no question, so that they carry the same */
function distances(clean: Representations, shifted: Representations, exam: PreparedExam, samePictures: boolean): ExamOutcome['distance'] {
  const rjsd = (of: keyof Representations): number => short(representationJsd(present(clean[of]), present(shifted[of])));
  const cosine = (of: keyof Representations): number => short(mean(pairedCosineDistance(...both(clean[of], shifted[of]))));
  return {
    rjsd_visual: samePictures ? 0 : rjsd('visual'),
    ...(REWORDED.includes(exam.group) ? { rjsd_text: rjsd('text') } : {}),
    ...(exam.origin ? { cosine_visual: samePictures ? 0 : cosine('visual'), cosine_text: cosine('text') } : {}),
  };
}

/** Marks of a judge in thousandths. The answers are completed for it. */
async function judged(examiner: Examiner, answers: PackedAnswers, exam: PreparedExam, signal?: AbortSignal): Promise<number[]> {
  const tokenizer = chatTokenizer();
  await completeAnswers(examiner, answers, LONGEST, signal);
  return exam.marks!(answers.said.map(ids => tokenizer.decode([...ids]))).map(mark => Math.round(1000 * mark));
}

/**
 * @param layer block whose output (after the bottleneck, where it has one) is compared @param exams the clean one first
 * @param words keep wrong answers in words
 */
export async function measure(
  task: SceneTuneTask,
  config: LlavaConfig,
  exams: readonly PreparedExam[],
  layer: number,
  { words = false, signal }: { readonly words?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Record<string, ExamOutcome>> {
  const graph = await task.examiner([layer], true);
  const feeds = task.feeds();
  const tokenizer = chatTokenizer();
  const out: Record<string, ExamOutcome> = {};
  let clean: Representations | undefined;
  try {
    for (const exam of exams) {
      const { id, group, items, rows, features, origin, marks } = exam;
      const collector = new RepresentationCollector(origin);
      const examiner = { graph, config, rows, features, feeds };
      const answers = await examinePacked(examiner, {
        signal,
        onBatch: (batch, of, modality) => collector.take(batch[`hidden.${layer}`] as FloatTensor, of, modality),
      });
      clean ??= collector.result;
      const { correct, tokenAccuracy, logLikelihood, answerLogProbability, said } = answers;
      const wrong = correct.flatMap((right, i) => (right ? [] : [[i, tokenizer.decode([...said[i]])] as const]));
      out[id] = {
        correct: correct.map(Number).join(''),
        tokens: marks
          ? await judged(examiner, answers, exam, signal)
          : items.map(({ task }, i) => (task === 'caption' ? Math.round(tokenAccuracy[i] * 1000) : 1000 * Number(correct[i]))),
        ...(CALIBRATED.includes(group) ? { said: answerLogProbability.map(roundConfidence) } : {}),
        ...(words && WORDED.includes(group) ? { wrong: Object.fromEntries(wrong) } : {}),
        log_likelihood: short(mean(logLikelihood)),
        distance: distances(clean, collector.result, exam, features === exams[0].features),
      };
    }
  } finally {
    await graph.release();
  }
  return out;
}
