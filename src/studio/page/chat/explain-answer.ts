/** @file Explains an answer of the conversation: which method, what it costs, the run with its progress, stopping. */
import { signal } from '@preact/signals';
import type { CostInfo, MethodInfo } from '../../facts.ts';
import type { AttributeInput } from '../../requests.ts';
import { announce } from '../state/announce.ts';
import { info, methodInfo, need, sentenceOf } from '../state/studio.ts';
import { changeTurn, chatModel, chatPicture, type Explanation, turns } from './conversation.ts';

/** The method that the person chose; the recommended one by default. */
export const chosenMethod = signal<string | undefined>(undefined);
/** What explaining a turn would cost, by its place and the method. */
export const answerCost = signal<{ readonly turn: number; readonly cost: CostInfo } | undefined>(undefined);
/** The turn that is being explained. */
export const explaining = signal<number | undefined>(undefined);
/** Which map is shown where both are there: what the answer needs, or what the bottleneck kept. */
export const layer = signal<'needs' | 'keeps'>('needs');

let controller: AbortController | undefined;

/** Methods that explain answers of the open model. */
export const answerMethods = (): readonly MethodInfo[] =>
  (info.value?.methods ?? []).filter(method => method.answers && chatModel.value?.methods.includes(method.name));

/** The method that explains; undefined where none does. */
export function methodNow(): MethodInfo | undefined {
  const served = answerMethods();
  const wanted = chosenMethod.value ?? info.value?.recommendedForAnswers;
  return served.find(method => method.name === wanted) ?? served[0];
}

/** Ends what runs. */
export const stopExplaining = (): void => controller?.abort();

/** What is asked for a turn; undefined while something is missing. */
function requestOf(index: number): AttributeInput | undefined {
  const [turn, model, picture, method] = [turns.peek()[index], chatModel.peek(), chatPicture.peek(), methodNow()];
  if (!turn?.facts || !model || !picture || !method || turn.answer.trim() === '') return undefined;
  const before = turns
    .peek()
    .slice(0, index)
    .filter(each => each.trouble === undefined).length;
  return {
    model: model.id,
    picture: picture.id,
    text: turn.question,
    methods: [{ name: method.name }],
    answer: { text: turn.answer.trim(), turnsBefore: before },
  };
}

/** Asks what explaining a turn would cost; nothing where that cannot be told. */
export async function askCost(index: number): Promise<void> {
  const request = requestOf(index);
  if (!request) return;
  const [cost] = await need()
    .estimate(request)
    .catch(() => []);
  answerCost.value = cost && { turn: index, cost };
}

/** Explains the answer of a turn. One that runs already is ended first. */
export async function explainAnswer(index: number): Promise<void> {
  stopExplaining();
  const request = requestOf(index);
  if (!request) return;
  const mine = new AbortController();
  controller = mine;
  explaining.value = index;
  const method = request.methods[0].name;
  const note = (change: Partial<Explanation>): void => {
    const now = turns.peek()[index]?.explained;
    // Another picture has begun another conversation.
    if (controller === mine && now) changeTurn(index, { explained: { ...now, ...change } });
  };
  changeTurn(index, { explained: { status: 'running', method, warnings: [] } });
  announce(`${methodInfo(method)?.title ?? method} explains the answer.`);
  try {
    for await (const event of need().attribute(request, { signal: mine.signal })) {
      if (event.kind === 'progress') note({ progress: event });
      else if (event.kind === 'started') note({ ahead: event.ahead });
      else if (event.kind === 'warning')
        note({ warnings: [...new Set([...(turns.peek()[index]?.explained?.warnings ?? []), event.message])] });
      else if (event.kind === 'result') {
        note({ status: 'done', result: event, progress: undefined, warnings: event.attribution.warnings ?? [], part: undefined });
        layer.value = 'needs';
        announce('The answer is explained. Its words can be pointed at.');
      } else if (event.kind === 'failure') {
        const stopped = event.reason === 'cancelled';
        note({ status: stopped ? 'stopped' : 'failed', failure: stopped ? undefined : event.message, progress: undefined });
        announce(stopped ? 'Stopped.' : event.message);
      }
    }
  } catch (error) {
    note({ status: 'failed', failure: sentenceOf(error), progress: undefined });
  } finally {
    if (controller === mine) {
      explaining.value = undefined;
      controller = undefined;
    }
    void askCost(index);
  }
}
