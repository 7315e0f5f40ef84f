/** @file What is explained: a pair on a model that compares images with texts, or a question to a model that answers. */
import type { ChatModel } from '../generation/chat-model.ts';
import type { DualEncoder } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import { AnswerAttributor, type AnswerRun, noAnswers } from './answers/answer-attributor.ts';
import { type AttributeRun, Attributor } from './attributor.ts';
import type { MethodEntry } from './method.ts';
import type { Pair } from './pair.ts';
import { explainQuestion, type QuestionMethodEntry } from './question.ts';
import type { Attribution } from './result.ts';

/** A picture with a caption. */
export interface PairSubject {
  readonly kind: 'pair';
  readonly model: DualEncoder;
  readonly pair: Pair;
}

/** A picture with a question, which is the pair's text. */
export interface QuestionSubject {
  readonly kind: 'question';
  readonly model: ChatModel;
  readonly pair: Pair;
}

/** What is explained. A method says by `serves` which kind it can explain. */
export type Subject = PairSubject | QuestionSubject;

/** A row of the table of methods. */
export type RegisteredMethod<O = Record<string, unknown>> = MethodEntry<O> | QuestionMethodEntry<O>;

/** Why a method cannot explain the other kind of subject. */
export const wrongSubject = ({ name, serves }: Pick<RegisteredMethod, 'name' | 'serves'>): string =>
  serves === 'question'
    ? `${name} is for a LLaVA with a bottleneck, and this model compares images with texts; for what a CLIP or SigLIP needs of a pair, take m2ib.`
    : noAnswers(name);

/**
 * Explains one subject by one method; compiled graphs are closed afterwards. (For many pairs, `createMethod` keeps them, and
 * `AnswerAttributor` for many questions.)
 * @param given options that differ from the defaults
 * @throws NarrowsError for a method that does not serve the kind, an option out of range or bad input; the signal's reason when aborted
 */
export async function explainSubject(
  method: RegisteredMethod,
  subject: Subject,
  given: Record<string, unknown> = {},
  run: AttributeRun & AnswerRun = {},
): Promise<Attribution> {
  if (subject.kind === 'question') {
    if (method.serves === 'question') return explainQuestion(method, subject, given, run);
    if (!method.answers) throw new NarrowsError(wrongSubject(method));
    if (run.target || run.imageSize !== undefined)
      throw new NarrowsError(
        `${run.target ? 'Another target' : 'Another image size'} is for models that compare images with texts; of an answer, ${method.name} explains its log-probability at the size that the model reads.`,
        { kind: 'usage' },
      );
    await using attributor = new AnswerAttributor(method, subject.model, given);
    return attributor.attribute(subject.pair, run);
  }
  if (method.serves === 'question') throw new NarrowsError(wrongSubject(method));
  await using attributor = new Attributor(method, subject.model, given);
  return attributor.attribute(subject.pair, run);
}
