/** @file Answers joined to questions: by id, and by words where ids repeat; never by position. */
import { NarrowsError } from '../../system/errors.ts';
import type { AnswerRecord, Question } from '../benchmarks/question.ts';
import { asksFor, plainWords, QuestionWords } from './same-question.ts';

/** An answer with its question. */
export interface JoinedAnswer {
  readonly question: Question;
  readonly answer: AnswerRecord;
}

/** Answers and questions that belong together, and what does not. */
export interface Joined {
  /** In the order of the questions. */
  readonly pairs: readonly JoinedAnswer[];
  readonly missing: readonly Question[];
  readonly duplicates: number;
  readonly unknown: number;
  /** What was left out or taken for something, in sentences. */
  readonly warnings: readonly string[];
}

/** A picture's path as an id, without ending and folders between category and name: MME's tool has `posters/1.txt` for `posters/images/1.jpg`. */
const stemOf = (id: string): string => id.replace(/\.(?:png|jpe?g|webp|txt)$/i, '').replace(/^([^/]+)\/.*\/([^/]+)$/, '$1/$2');

const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}…` : text);
const some = (places: readonly string[]): string => `${places.slice(0, 3).join('; ')}${places.length > 3 ? '; …' : ''}`;
const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Questions by the names that an answer may have for them. */
class Index {
  private readonly byName = new Map<string, Question[]>();

  constructor(questions: readonly Question[]) {
    for (const question of questions)
      for (const name of new Set([question.key, String(question.id), stemOf(String(question.id))])) {
        const known = this.byName.get(name);
        if (known) known.push(question);
        else this.byName.set(name, [question]);
      }
  }

  find(id: string): readonly Question[] {
    return this.byName.get(id) ?? this.byName.get(stemOf(id)) ?? [];
  }
}

/** Answers of a run of ours name the question's key. */
function idOf({ id, facts }: AnswerRecord): string {
  const key = (facts?.metadata as { readonly key?: unknown } | null | undefined)?.key;
  return typeof key === 'string' ? key : String(id);
}

/** Splits repeat ids and words (POPE): an answer's row may say which one it belongs to. */
function bySplit(candidates: readonly Question[], { facts = {} }: AnswerRecord): readonly Question[] {
  const named = [facts.split, facts.category].filter((name): name is string => typeof name === 'string');
  const fitting = candidates.filter(({ split, category }) => named.some(name => name === split || name === category));
  return fitting.length > 0 ? fitting : candidates;
}

/** Of questions of which one holds the other's words: the longest that the prompt holds whole. */
function closest(candidates: readonly Question[], prompt: string, words: QuestionWords): readonly Question[] {
  const held = candidates.filter(question => prompt.includes(words.of(question)));
  const among = held.length > 0 ? held : candidates;
  const longest = Math.max(...among.map(question => words.of(question).length));
  return among.filter(question => words.of(question).length === longest);
}

const quoted = (answer: AnswerRecord, question: Question): string =>
  `${answer.where} answers "${shorten(answer.prompt as string)}", but question ${question.id} (${question.where}) is "${shorten(question.text)}"`;

/**
 * Joins answers to questions. The first answer to a question counts; answers that fit several questions of equal id and words (a picture that
 * stands in two splits) are given to them in their order, which is said.
 * @throws NarrowsError for answers to another version of the questions (both texts are quoted), for answers whose ids are all unknown, and
 *   for repeated ids that nothing tells apart
 */
export function joinAnswers(questions: readonly Question[], answers: readonly AnswerRecord[]): Joined {
  const index = new Index(questions);
  const words = new QuestionWords();
  const given = new Map<Question, AnswerRecord>();
  const unknown: string[] = [];
  const duplicates: string[] = [];
  const others: { readonly answer: AnswerRecord; readonly question: Question }[] = [];
  let ambiguous = 0;
  for (const answer of answers) {
    const candidates = index.find(idOf(answer));
    if (candidates.length === 0) {
      unknown.push(answer.where);
      continue;
    }
    const prompt = answer.prompt === undefined ? undefined : plainWords(answer.prompt);
    let fitting = prompt === undefined ? candidates : candidates.filter(question => asksFor(prompt, words.of(question)));
    if (fitting.length === 0) {
      others.push({ answer, question: candidates[0] });
      continue;
    }
    if (fitting.length > 1 && prompt !== undefined) fitting = closest(fitting, prompt, words);
    if (fitting.length > 1) fitting = bySplit(fitting, answer);
    if (new Set(fitting.map(question => words.of(question))).size > 1)
      throw new NarrowsError(
        `${answer.where}: ${fitting.length} questions have the id ${answer.id}, and the answer does not say which one it belongs to; add the prompt or question that was asked.`,
      );
    const free = fitting.filter(question => !given.has(question));
    if (free.length === 0) duplicates.push(answer.where);
    else {
      if (fitting.length > 1) ambiguous++;
      given.set(free[0], answer);
    }
  }
  if (others.length > 0) throw otherVersion(others, answers.length);
  if (answers.length > 0 && unknown.length === answers.length)
    throw new NarrowsError(
      `None of the ${plural(answers.length, 'answer')} belongs to a question of the set: the first has the id ${String(answers[0].id)} (${answers[0].where}), the first question ${String(questions[0]?.id)} (${questions[0]?.where}); these are answers to another set.`,
    );
  const missing = questions.filter(question => !given.has(question));
  const warnings: string[] = [];
  if (duplicates.length > 0)
    warnings.push(
      `${plural(duplicates.length, 'answer')} to a question that was answered before: the first one counts (${some(duplicates)}).`,
    );
  if (unknown.length > 0) warnings.push(`${plural(unknown.length, 'answer')} to no question of the set: left out (${some(unknown)}).`);
  if (ambiguous > 0)
    warnings.push(
      `${plural(ambiguous, 'answer')} of equal id and words fit several questions (one picture in several splits): given to them in their order.`,
    );
  return {
    pairs: questions.flatMap(question => {
      const answer = given.get(question);
      return answer ? [{ question, answer }] : [];
    }),
    missing,
    duplicates: duplicates.length,
    unknown: unknown.length,
    warnings,
  };
}

function otherVersion(others: readonly { readonly answer: AnswerRecord; readonly question: Question }[], all: number): NarrowsError {
  const [{ answer, question }] = others;
  return new NarrowsError(
    `${quoted(answer, question)} (${others.length} of ${plural(all, 'answer')} differ so): these are answers to another version of the questions; give the questions that were asked.`,
  );
}
