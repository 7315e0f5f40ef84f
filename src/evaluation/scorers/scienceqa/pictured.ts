/** @file Which questions of ScienceQA have a picture. */
import type { Question } from '../../benchmarks/question.ts';

/** Whether the question has a picture, whether or not its file is at hand. */
export const hasPicture = ({ pictures, facts }: Question): boolean =>
  pictures.length > 0 || (typeof facts.image === 'string' && facts.image !== '');

/** Whether there is a hint, ScienceQA's text context. */
export const hasHint = ({ context, facts }: Question): boolean =>
  (context ?? '').trim() !== '' || (typeof facts.hint === 'string' && facts.hint !== '');
