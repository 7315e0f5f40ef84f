/** @file Answers for the page's search: texts are kept once, and of a large run every k-th question, under all scenarios. */
import type { AnswerLine, EvaluationResults } from '../../evaluation/run/results.ts';
import { choicesText } from './view.ts';

/** Answers of a run, one after the other; they are gone through once. */
export type AnswerSource = Iterable<AnswerLine> | AsyncIterable<AnswerLine>;

/** Answers that a page holds at most. */
export const MOST_ANSWERS = 20_000;

/** Answers as the page's script reads them. */
export interface EmbeddedAnswers {
  /** Every text that occurs, once. */
  readonly texts: readonly string[];
  /** Per answer: set, scenario, key, question, right answers, raw answer, value and category as places in `texts` (-1: none). */
  readonly rows: readonly number[];
  /** Per answer: points, 0 to 1; null where it does not count. */
  readonly correct: readonly (number | null)[];
  /** Answers of the run. */
  readonly total: number;
  /** 1: all are here; k: every k-th question of each set. */
  readonly every: number;
}

/** Numbers per answer in `rows`. */
export const FIELDS = 8;

const questionText = ({ text, options }: AnswerLine): string => (options ? `${text}\n${choicesText(options)}` : text);

/** Questions of a set in the order in which they come, and which of them are kept. */
class Questions {
  private readonly places = new Map<string, number>();

  constructor(private readonly every: number) {}

  keeps(benchmark: string, key: string): boolean {
    const name = `${benchmark}\u0000${key}`;
    let place = this.places.get(name);
    if (place === undefined) {
      place = this.counts.get(benchmark) ?? 0;
      this.counts.set(benchmark, place + 1);
      this.places.set(name, place);
    }
    return place % this.every === 0;
  }

  private readonly counts = new Map<string, number>();
}

/**
 * Answers for the page. Where a run has more than `most`, every k-th question of each set is kept, under all scenarios, so that a question's
 * answers can be compared; it is said in the page, from `total` and `every`.
 * @param most default: `MOST_ANSWERS`
 */
export async function embedAnswers(source: AnswerSource, { sets }: EvaluationResults, most = MOST_ANSWERS): Promise<EmbeddedAnswers> {
  const expected = sets.reduce((sum, { questions, scenarios }) => sum + questions * scenarios.length, 0);
  const every = Math.max(1, Math.ceil(expected / most));
  const questions = new Questions(every);
  const places = new Map<string, number>();
  const texts: string[] = [];
  const place = (text: string | undefined | null): number => {
    if (text === undefined || text === null) return -1;
    let at = places.get(text);
    if (at === undefined) {
      at = texts.push(text) - 1;
      places.set(text, at);
    }
    return at;
  };
  const rows: number[] = [];
  const correct: (number | null)[] = [];
  let total = 0;
  for await (const line of source) {
    total++;
    // A source that gives more than its results say ends at the limit all the same.
    if (!questions.keeps(line.benchmark, line.key) || correct.length >= most) continue;
    rows.push(place(line.benchmark), place(line.scenario), place(line.key), place(questionText(line)));
    rows.push(place(line.right.join(' | ')), place(line.raw), place(line.value), place(line.category));
    correct.push(Number.isNaN(line.correct) ? null : line.correct);
  }
  return { texts, rows, correct, total, every };
}
