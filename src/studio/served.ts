/** @file Which methods serve an open model, and why others of its kind do not; for any backend. */
import { answerModelOf } from '../attribution/answers/answer-attributor.ts';
import { methodOptions } from '../attribution/method.ts';
import { answerMethods, pairMethods, methods as registered } from '../attribution/registry.ts';
import type { ChatModel } from '../generation/chat-model.ts';
import type { DualEncoder } from '../models/dual-encoder.ts';
import { messageOf } from '../system/errors.ts';
import type { ModelInfo } from './facts.ts';

type Served = Pick<ModelInfo, 'methods' | 'unserved'>;

/** @param reasons by method, why it does not serve; undefined: it does */
function sorted(reasons: readonly (readonly [string, string | undefined])[]): Served {
  const unserved = Object.fromEntries(reasons.flatMap(([name, reason]) => (reason === undefined ? [] : [[name, reason]])));
  return { methods: reasons.map(([name]) => name).filter(name => !(name in unserved)), unserved };
}

/** What throws says why. */
function problemOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Of a model that compares. A method serves where it serves one of its modalities. */
export const servedPairs = (model: DualEncoder): Served =>
  sorted(
    pairMethods().map(entry => {
      let reasons: (string | undefined)[] = [];
      const problem = problemOf(() => {
        const options = methodOptions(entry, {});
        reasons = entry.modalities.map(modality => entry.unsupported?.(model, modality, options));
      });
      return [entry.name, problem ?? (reasons.every(reason => reason !== undefined) ? reasons[0] : undefined)] as const;
    }),
  );

/** Of a model that answers: what reads its questions, and what explains its answers. */
export function servedQuestions(chat: ChatModel): Served {
  const silent = problemOf(() => answerModelOf(chat));
  return sorted([
    ...answerMethods().map(entry => [entry.name, silent] as const),
    ...registered.flatMap(entry => (entry.serves === 'question' ? [[entry.name, entry.unsupported?.(chat)] as const] : [])),
  ]);
}
