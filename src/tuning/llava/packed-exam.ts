/**
 * @file An exam with the questions of a scene in one row, as isolated turns: the answers are those of a row per question, and the picture goes
 * through the decoder once.
 */
import { type FloatTensor, ints } from '../../tensor/tensor.ts';
import { type PackedTurns, packTurns } from './isolated-turns.ts';
import { type ExamAnswers, type Examiner, type ExamRow, pickFeatures, readRow } from './scene-eval.ts';
import { tokenFeeds } from './token-feeds.ts';

/** With the words of it. */
export interface PackedAnswers extends ExamAnswers {
  /** Per row the ids of what the model says: of a right answer all but its end, of a wrong one up to its first wrong token. */
  readonly said: (readonly number[])[];
  /** Per row whether that is all that it says: it was right, or its first wrong token is the end. */
  readonly complete: boolean[];
}

/** Where the questions of a packed row stand. */
export interface PackedRow extends PackedTurns {
  readonly scene: number;
  /** Numbers of its questions among the exam's rows; turn k + 1 is the k-th. */
  readonly items: readonly number[];
}

/** Called with a batch's outputs, rows and modality [rows · T], for representations. */
type OnBatch = (out: Readonly<Record<string, FloatTensor>>, rows: readonly PackedRow[], modality: Int32Array) => void;

/** Rows that are answered together, and questions of one of them. */
const BATCH = 8;
const TURNS = 16;

/** The rows of an exam, packed. @param chosen numbers of the rows that are asked; all by default */
export function packRows(rows: readonly ExamRow[], imageToken: number, chosen: readonly number[] = rows.map((_, i) => i)): PackedRow[] {
  const byScene = new Map<number, number[]>();
  for (const i of chosen) byScene.set(rows[i].scene, [...(byScene.get(rows[i].scene) ?? []), i]);
  return [...byScene].flatMap(([scene, all]) =>
    Array.from({ length: Math.ceil(all.length / TURNS) }, (_, k) => {
      const items = all.slice(k * TURNS, (k + 1) * TURNS);
      return {
        scene,
        items,
        ...packTurns(
          items.map(i => rows[i]),
          imageToken,
        ),
      };
    }),
  );
}

/**
 * Answers an exam. @param examiner its graph takes `turns`
 * @param options.chosen numbers of the rows that are asked: others keep no value (holes)
 */
export async function examinePacked(
  { graph, config, rows, features, feeds }: Examiner,
  options: { readonly chosen?: readonly number[]; readonly signal?: AbortSignal; readonly onBatch?: OnBatch } = {},
): Promise<PackedAnswers> {
  const result: PackedAnswers = { correct: [], tokenAccuracy: [], logLikelihood: [], answerLogProbability: [], said: [], complete: [] };
  const packed = packRows(rows, config.image_token_index, options.chosen).sort((a, b) => a.ids.length - b.ids.length);
  for (let at = 0; at < packed.length; at += BATCH) {
    options.signal?.throwIfAborted();
    const batch = packed.slice(at, at + BATCH);
    const { labels, ...token } = tokenFeeds(config, batch, batch.length);
    const length = labels.shape[1];
    const places: { readonly at: number; readonly item: number }[] = [];
    for (const [b, { labels: wanted, turns, items }] of batch.entries())
      for (const [t, label] of wanted.entries()) if (label !== -100) places.push({ at: b * length + t, item: items[turns[t] - 1] });
    const out = await graph.run({
      ...feeds,
      ...token,
      tower_features: pickFeatures(
        features,
        batch.map(({ scene }) => scene),
      ),
      rows: ints(
        [places.length],
        Int32Array.from(places, place => place.at - 1),
      ),
    });
    const { data, shape } = out.logits as FloatTensor;
    const sums = new Map<number, Sum>();
    for (const [n, { at: place, item }] of places.entries()) {
      const wanted = Number(labels.data[place]);
      const sum = sums.get(item) ?? { right: 0, total: 0, count: 0, probability: 0, said: [] };
      sums.set(item, sum);
      const { best, bestLogProbability, logProbability } = readRow(data as Float32Array, n * shape[1], shape[1], wanted);
      if (sum.right === sum.count) {
        sum.probability += bestLogProbability;
        sum.said.push(best);
      }
      if (best === wanted) sum.right++;
      sum.total += logProbability;
      sum.count++;
    }
    const end = config.text_config.eos_token_id;
    for (const [item, sum] of sums) take(result, item, sum, Array.isArray(end) ? end : [end]);
    options.onBatch?.(out as Record<string, FloatTensor>, batch, token.modality.data as Int32Array);
  }
  return result;
}

interface Sum {
  right: number;
  total: number;
  count: number;
  probability: number;
  readonly said: number[];
}

function take(result: PackedAnswers, item: number, { right, total, count, probability, said }: Sum, ends: readonly unknown[]): void {
  result.correct[item] = right === count;
  result.tokenAccuracy[item] = right / count;
  result.logLikelihood[item] = total / count;
  result.answerLogProbability[item] = probability;
  const ended = ends.includes(said.at(-1));
  result.said[item] = ended ? said.slice(0, -1) : said;
  result.complete[item] = ended;
}

/**
 * Goes on with the answers that are not complete, token by token, greedily. @param answers as `examinePacked` gave them; changed in place
 * @param limit tokens of an answer, at most
 */
export async function completeAnswers(
  examiner: Examiner,
  answers: Pick<PackedAnswers, 'said' | 'complete'>,
  limit: number,
  signal?: AbortSignal,
): Promise<void> {
  const asked = (row: ExamRow): number => row.labels.findIndex(label => label !== -100);
  for (;;) {
    const open = answers.said.flatMap((said, i) => (!answers.complete[i] && said.length < limit ? [i] : []));
    if (open.length === 0) return;
    const rows = examiner.rows.map((row, i): ExamRow => {
      if (answers.complete[i]) return row;
      const ids = [...row.ids.slice(0, asked(row)), ...answers.said[i]];
      // What stands behind is only asked for, not read: any label does.
      return { scene: row.scene, ids: [...ids, 0], labels: [...ids.map(() => -100), 0] };
    });
    const next = await examinePacked({ ...examiner, rows }, { chosen: open, signal });
    for (const i of open) {
      answers.said[i] = [...answers.said[i], ...next.said[i]];
      answers.complete[i] = next.complete[i];
    }
  }
}
