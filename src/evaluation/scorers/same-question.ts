/** @file Whether a prompt asks a question of the set: everything may stand around the question's words, but they must be in it. */
import type { Question } from '../benchmarks/question.ts';

/** Words only: case, white space and punctuation differ between files. "imange" is how POPE's older lists spell "image". */
export const plainWords = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/<image(?:[\s_-]?\d+)?>/g, ' ')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .replaceAll('imange', 'image')
    .trim();

/**
 * Whether the prompt holds the question's words (instructions, options and context may stand around them), or the question holds those of the
 * prompt. Texts without any letter or digit are not compared.
 * @param prompt plain words of the prompt @param question plain words of the question
 */
export function asksFor(prompt: string, question: string): boolean {
  if (prompt === '' || question === '' || prompt === question) return true;
  return ` ${prompt} `.includes(` ${question} `) || ` ${question} `.includes(` ${prompt} `);
}

/** Plain words of questions, made once. */
export class QuestionWords {
  private readonly known = new Map<Question, string>();

  /** The question's plain words. */
  of(question: Question): string {
    const known = this.known.get(question);
    if (known !== undefined) return known;
    const words = plainWords(question.text);
    this.known.set(question, words);
    return words;
  }
}
