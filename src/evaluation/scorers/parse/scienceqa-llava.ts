/** @file The option of an answer as LLaVA's `eval_science_qa.py` reads it. */

const LETTERS = 'ABCDE';
const SENTENCE = /The answer is ([A-Z])./g;

/**
 * Exactly a letter from A to E; or such a letter with `. ` behind it at the start; or, once in the answer, `The answer is X` with at least one
 * more character in the line. So `A.`, `A` with a line end and `The answer is B` fail, and `The answer is Boat.` is B. A letter beyond the
 * question's options is read, and is wrong.
 * @returns null where LLaVA says FAILED
 */
export function parseScienceQaLlava(answer: string): string | null {
  if (answer.length === 1 && LETTERS.includes(answer)) return answer;
  if (answer !== '' && LETTERS.includes(answer[0]) && answer.startsWith('. ', 1)) return answer[0];
  const said = [...answer.matchAll(SENTENCE)];
  return said.length === 1 ? said[0][1] : null;
}
