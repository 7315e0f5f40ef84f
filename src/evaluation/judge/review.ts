/** @file Reviews: what a judge said of one comparison. Files in LLaVA's form are read and written. */
import { z } from 'zod';
import type { QuestionId } from '../../generation/questions.ts';
import { jsonRecords } from '../../inputs/chat/json-records.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { NarrowsError } from '../../system/errors.ts';
import { exactJson } from '../../system/exact-json.ts';
import { parseLlavaMarks, parseMarks } from '../scorers/parse/marks.ts';
import type { Order } from './item.ts';

/** What a judge said of one comparison. */
export interface Review {
  readonly questionId: QuestionId;
  readonly category: string;
  readonly order: Order;
  /** 0 for the first asking. */
  readonly repeat: number;
  /** The judge's words; undefined where the file has only marks. */
  readonly content?: string;
  /** The marks as the file has them: of Assistant 1 and 2, -1 and -1 for a failure. */
  readonly tuple?: readonly [number, number];
  /** Why there are no words, where the endpoint gave none. */
  readonly failure?: string;
  readonly referenceId?: QuestionId;
  readonly answerId?: QuestionId;
}

/** Marks of the reference and of the model. */
export interface Marks {
  readonly reference: number;
  readonly model: number;
}

const sided = (pair: readonly [number, number], order: Order): Marks =>
  order === 'reference first' ? { reference: pair[0], model: pair[1] } : { reference: pair[1], model: pair[0] };

/** Marks from 0 to 10 that a person reads in a review; undefined for a failure. */
export function marksOf({ content, tuple, failure, order }: Review): Marks | undefined {
  if (failure !== undefined) return undefined;
  const pair = content === undefined ? tuple : parseMarks(content);
  return pair?.every(mark => mark >= 0 && mark <= 10) ? sided([pair[0], pair[1]], order) : undefined;
}

/** Marks as LLaVA's scripts read them, -1 and -1 for a failure: what stands in the file, else what its parser reads. */
export function officialTuple({ content, tuple, failure }: Review): readonly [number, number] {
  if (failure !== undefined) return [-1, -1];
  return tuple ?? parseLlavaMarks(content ?? '') ?? [-1, -1];
}

const id = z.union([z.string(), z.number(), z.bigint()]);
const schema = z.looseObject({
  question_id: id,
  category: z.string().nullish(),
  content: z.string().nullish(),
  text: z.string().nullish(),
  tuple: z.tuple([z.number(), z.number()]).nullish(),
  score: z.tuple([z.number(), z.number()]).nullish(),
  answer1_id: id.nullish(),
  answer2_id: id.nullish(),
  metadata: z
    .looseObject({
      order: z.enum(['reference first', 'model first']).nullish(),
      repeat: z.number().int().nonnegative().nullish(),
      failure: z.string().nullish(),
    })
    .nullish(),
});

/**
 * Reads a file of reviews, LLaVA's or ours.
 * @param order of files that do not say it themselves; LLaVA's show the reference first
 * @param repeat of files that do not say it: several files of one model are repeats
 * @throws NarrowsError naming file and line
 */
export async function readReviews(path: string, order: Order = 'reference first', repeat = 0): Promise<Review[]> {
  const reviews: Review[] = [];
  for await (const { value, where } of jsonRecords(path)) {
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const [{ path: key, message }] = parsed.error.issues;
      throw new NarrowsError(`${where}: this is no review, the key "${key.join('.')}" is wrong (${message}).`);
    }
    const r = parsed.data;
    const content = r.content ?? r.text ?? undefined;
    const tuple = r.tuple ?? r.score ?? undefined;
    if (content === undefined && tuple === undefined) throw new NarrowsError(`${where}: the review has neither "content" nor "tuple".`);
    const said = r.metadata?.order ?? order;
    const [first, second] = [r.answer1_id ?? undefined, r.answer2_id ?? undefined];
    reviews.push({
      ...{ questionId: r.question_id, category: r.category ?? 'all', order: said, repeat: r.metadata?.repeat ?? repeat },
      ...{ content, tuple, failure: r.metadata?.failure ?? undefined },
      ...(said === 'reference first' ? { referenceId: first, answerId: second } : { referenceId: second, answerId: first }),
    });
  }
  if (reviews.length === 0) throw new NarrowsError(`${path} holds no reviews.`);
  return reviews;
}

/** Rows of a file of reviews: LLaVA's keys, with ours under `metadata`. */
export function reviewRows(reviews: readonly Review[], judge: string): Record<string, unknown>[] {
  return reviews.map((review, i) => {
    const { questionId, category, order, repeat, content, failure, referenceId, answerId } = review;
    const [first, second] = order === 'reference first' ? [referenceId, answerId] : [answerId, referenceId];
    return {
      ...{ id: i + 1, question_id: questionId, answer1_id: first, answer2_id: second, category, content: content ?? '' },
      ...{ tuple: officialTuple({ ...review, tuple: undefined }) },
      metadata: { judge, order, repeat, ...(failure === undefined ? {} : { failure }) },
    };
  });
}

/** Writes a file of reviews. @throws NarrowsError where it cannot be written */
export const writeReviews = (path: string, reviews: readonly Review[], judge: string): Promise<void> =>
  writeFileAtomic(
    path,
    reviewRows(reviews, judge)
      .map(row => `${exactJson(row)}\n`)
      .join(''),
  );
