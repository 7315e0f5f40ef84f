/** @file What a request asks of an answer, for any backend: the library's run, and what must be said of turns that are left out. */
import type { AnswerRun } from '../attribution/answers/answer-attributor.ts';
import type { Attribution } from '../attribution/result.ts';
import type { RegisteredMethod } from '../attribution/subject.ts';
import { StudioError } from './protocol.ts';
import type { AttributeRequest, ChatRequest } from './requests.ts';

/** @throws StudioError `usage` for what only models have that compare images with texts, or an answer for a method that reads none */
export function answerRun({ modality, seed, seeds, imageSize, target, answer }: AttributeRequest, { serves }: RegisteredMethod): AnswerRun {
  const { against, ...others } = target;
  const [alien] = Object.entries({ ...others, imageSize }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (alien !== undefined)
    throw new StudioError(
      'usage',
      `"${alien}" is for models that compare images with texts; of a model that answers, the log-probability of the answer is explained, against another answer where one is given.`,
    );
  if (serves === 'question') {
    if (against !== undefined || answer)
      throw new StudioError(
        'usage',
        'The posterior reads what a bottleneck keeps, whatever is answered; choose a method that explains answers.',
      );
    return { modality };
  }
  return { modality, seed, seeds, against, answer: answer?.text, parts: answer?.parts };
}

/** Maps that are made at once of an answer: its own and one per part; undefined where it is not known before. */
export function mapsOf({ answer }: Pick<AttributeRequest, 'answer'>): number | undefined {
  if (answer?.text === undefined) return undefined;
  const words = answer.text.trim().split(/\s+/).length;
  return answer.parts === 'none' || words === 1 ? 1 : 1 + words;
}

/** What is said where turns of the conversation were left out; undefined where none were. */
export function aloneWarning({ answer }: AttributeRequest): string | undefined {
  const before = answer?.turnsBefore ?? 0;
  if (before === 0) return undefined;
  return `The answer is explained as one to its question alone: the ${before === 1 ? 'turn' : `${before} turns`} before it ${before === 1 ? 'is' : 'are'} not shown to the model, so its probabilities may be others than in the conversation.`;
}

/** What is said where the posterior's map leaves a part of the conversation out: it is of one picture and one question. */
export function posteriorWarning({ turns, pictures }: Pick<ChatRequest, 'turns' | 'pictures'>): string | undefined {
  const about = [
    ...(turns.length > 1 ? ['the last question by itself, without the turns before it'] : []),
    ...(pictures.length > 1 ? ['the first picture only'] : []),
  ];
  return about.length === 0 ? undefined : `The posterior's map is of ${about.join(' and of ')}.`;
}

/** The result with a warning in it. */
export function withWarning(attribution: Attribution, warning: string | undefined): Attribution {
  return warning === undefined ? attribution : { ...attribution, warnings: [...(attribution.warnings ?? []), warning] };
}
