/** @file A conversation with a model that answers: turns, the answer as it streams, the posterior's map of the question. */
import { signal } from '@preact/signals';
import type { ModelInfo } from '../../facts.ts';
import type { AnswerEvent, ProgressEvent, ResultEvent } from '../../protocol.ts';
import { announce } from '../state/announce.ts';
import type { ShownPicture } from '../state/picture-files.ts';
import { need, openModel, sentenceOf } from '../state/studio.ts';

/** An answer that was explained, or is being. */
export interface Explanation {
  readonly status: 'running' | 'done' | 'stopped' | 'failed';
  readonly method: string;
  readonly progress?: ProgressEvent;
  /** Jobs before it. */
  readonly ahead?: number;
  readonly result?: ResultEvent;
  /** The word of the answer whose map stays; undefined: the whole answer's. */
  readonly part?: number;
  readonly warnings: readonly string[];
  readonly failure?: string;
}

/** A turn that is over. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
  readonly facts?: AnswerEvent;
  /** The posterior's map of the question, of models with a bottleneck. */
  readonly map?: ResultEvent;
  /** Maps of what the answer needs, once they were asked for. */
  readonly explained?: Explanation;
  readonly warnings: readonly string[];
  /** It was stopped, or failed: why. */
  readonly trouble?: string;
}

/** The picture that is talked about. */
export const chatPicture = signal<ShownPicture | undefined>(undefined);
/** Turns so far; the last one may still be growing. */
export const turns = signal<readonly Turn[]>([]);
/** Whether an answer is on its way, and what is being done. */
export const answering = signal<string | undefined>(undefined);
/** The model that answers. */
export const chatModel = signal<ModelInfo | undefined>(undefined);
/** Why nothing can be asked. */
export const chatTrouble = signal<string | undefined>(undefined);
/** The turn whose map is shown. */
export const chosenTurn = signal(0);

let controller: AbortController | undefined;

/** Ends the answer; what came of it stays. */
export const stopAnswer = (): void => controller?.abort();

/** Another picture begins another conversation. */
export function talkAbout(picture: ShownPicture): void {
  stopAnswer();
  chatPicture.value = picture;
  turns.value = [];
}

/** Changes a turn; nothing where it is not there any more. */
export function changeTurn(index: number, change: Partial<Turn>): void {
  turns.value = turns.peek().map((turn, i) => (i === index ? { ...turn, ...change } : turn));
}

const grow = (change: Partial<Turn>): void => changeTurn(turns.peek().length - 1, change);

/** Opens the model that answers; another one begins another conversation. @returns whether it is open */
export async function openChatModel(reference: string): Promise<boolean> {
  if (chatModel.peek()?.id === reference && chatModel.peek()?.open) return true;
  chatTrouble.value = undefined;
  const opened = await openModel(reference, found => {
    if (found.kind === 'dual-encoder') return;
    stopAnswer();
    turns.value = [];
    chatModel.value = found;
  });
  if (opened?.kind !== 'dual-encoder') return opened !== undefined;
  chatTrouble.value = `${opened.name} compares images with texts and answers nothing; choose a model that answers.`;
  return false;
}

/** Asks; the answer streams into the last turn. */
export async function ask(question: string): Promise<void> {
  const [model, picture] = [chatModel.peek(), chatPicture.peek()];
  if (!model || !picture || answering.peek() !== undefined || question.trim() === '') return;
  const before = turns.peek().filter(turn => turn.trouble === undefined);
  chatTrouble.value = undefined;
  turns.value = [...turns.peek(), { question, answer: '', warnings: [] }];
  chosenTurn.value = turns.peek().length - 1;
  answering.value = 'Reading the question';
  controller = new AbortController();
  try {
    const request = {
      model: model.id,
      pictures: [picture.id],
      turns: [
        ...before.flatMap(turn => [
          { role: 'user' as const, content: turn.question },
          { role: 'assistant' as const, content: turn.answer },
        ]),
        { role: 'user' as const, content: question },
      ],
    };
    for await (const event of need().chat(request, { signal: controller.signal })) {
      const last = turns.peek()[turns.peek().length - 1];
      if (event.kind === 'words') {
        answering.value = 'Answering';
        grow({ answer: last.answer + event.text });
      } else if (event.kind === 'answer') {
        answering.value = model.bottleneck ? 'Drawing what was kept of the picture' : 'Answering';
        grow({ answer: event.text, facts: event });
        announce(event.text);
      } else if (event.kind === 'result') grow({ map: event });
      else if (event.kind === 'progress') answering.value = event.phase;
      else if (event.kind === 'warning') grow({ warnings: [...last.warnings, event.message] });
      else if (event.kind === 'failure') grow({ trouble: event.reason === 'cancelled' ? 'Stopped.' : event.message });
    }
  } catch (error) {
    grow({ trouble: sentenceOf(error) });
  } finally {
    answering.value = undefined;
  }
}
