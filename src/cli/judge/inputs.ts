/** @file What `narrows judge` is given, by its flags: comparisons, pictures, reviews. */
import { join } from 'node:path';
import { type JudgeItems, picturePath, questionPictures, readJudgeItems } from '../../evaluation/judge/files.ts';
import { itemsOfRun } from '../../evaluation/judge/from-run.ts';
import type { JudgeItem } from '../../evaluation/judge/item.ts';
import type { JudgeInput } from '../../evaluation/judge/results.ts';
import { type Review, readReviews, writeReviews } from '../../evaluation/judge/review.ts';
import { idKey } from '../../evaluation/judge/score.ts';
import { pictureUri } from '../../generation/endpoint/picture.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { Options } from '../command.ts';
import { requireFlags } from './flags.ts';

/** The comparisons that the flags name; none where only reviews are given. */
export async function itemsOf(options: Options): Promise<(JudgeItems & { benchmark?: string; scenario?: string }) | undefined> {
  const { run, benchmark, scenario, questions, answers, references, context } = options as Record<string, string | undefined>;
  if (run !== undefined) return itemsOfRun({ output: run, benchmark, scenario });
  if (options.reviews !== undefined && (answers === undefined || references === undefined)) return undefined;
  requireFlags(options, ['questions', 'answers', 'references'], 'Comparisons need --run, or questions, answers and references');
  return readJudgeItems({ questions: questions!, answers: answers!, references: references!, context });
}

/** Pictures of the questions, for a judge that sees. */
export async function withPictures({ items, images }: JudgeItems, folder: string | undefined): Promise<readonly JudgeItem[]> {
  if (folder === undefined) return items;
  const uris = new Map<string, string>();
  for (const image of new Set(images.values())) uris.set(image, await pictureUri(await decodeImage(picturePath(folder, image))));
  return items.map(item => {
    const image = images.get(item.key);
    return image === undefined ? item : { ...item, pictures: [uris.get(image)!] };
  });
}

/** Files of reviews as one list: a file that does not number its repeats is one repeat. */
export async function readAll(paths: readonly string[], options: Options): Promise<Review[]> {
  const order = options.order === 'model-first' ? 'model first' : 'reference first';
  const all: Review[] = [];
  for (const [repeat, path] of paths.entries()) all.push(...(await readReviews(path, order, repeat)));
  return all;
}

/** Pictures of questions, where only reviews are given. */
export async function clustersFrom(path: string | undefined, warnings: string[]): Promise<Map<string, string>> {
  if (path === undefined) {
    warnings.push(
      'Without --questions it is not known which questions are on one picture: each counts as its own, and errors come out too small.',
    );
    return new Map();
  }
  return questionPictures(path);
}

/** Characters of the model's answers less those of the references. */
export const lengthsOf = (items: readonly JudgeItem[] | undefined) => {
  const lengths = new Map((items ?? []).map(({ id, answer, reference }) => [idKey(id), answer.text.length - reference.text.length]));
  return { lengthOf: (key: string) => lengths.get(key) };
};

/** Reviews of another model. */
export async function againstOf(options: Options): Promise<Pick<JudgeInput, 'against'>> {
  const paths = options.against as string[] | undefined;
  return paths ? { against: { model: paths.join(', '), reviews: await readAll(paths, options) } } : {};
}

/** Files of reviews by order and asking; the first is as LLaVA writes it. */
export async function writeAll(output: string, reviews: readonly Review[], judge: string): Promise<void> {
  const names = new Map<string, Review[]>();
  for (const review of reviews) {
    const name = `reviews${review.order === 'model first' ? '-swapped' : ''}${review.repeat ? `-${review.repeat + 1}` : ''}.jsonl`;
    names.set(name, [...(names.get(name) ?? []), review]);
  }
  for (const [name, group] of names) await writeReviews(join(output, name), group, judge);
}
