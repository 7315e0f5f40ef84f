/** @file A conversation of several turns about pictures, its answers token by token. */
import { type ChatMessage, IMAGE_MARK } from '../inputs/chat/messages.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { NarrowsError } from '../system/errors.ts';
import { streamAnswer } from './answer-stream.ts';
import type { ChatModel } from './chat-model.ts';
import type { FinishReason, GenerationOptions } from './generate.ts';

/** A whole answer. */
export interface Answer {
  readonly question: string;
  readonly text: string;
  readonly finish: FinishReason;
  /** New tokens, with the one that ended the answer. */
  readonly tokens: number;
  /** Tokens that were read before it: the whole conversation, images included. */
  readonly promptTokens: number;
  readonly seconds: number;
}

/**
 * A conversation with a model: questions one after the other, with what was said before them.
 * @example
 * await using chat = await ChatModel.open('scene-llava');
 * const session = new ChatSession(chat);
 * session.add(await decodeImage('examples/scene.png'));
 * for await (const piece of session.ask('is there a cat in the picture ?', { maxNewTokens: 8 })) console.log(piece);
 */
export class ChatSession {
  private turns: ChatMessage[] = [];
  /** Pictures of the turns, in order. */
  private shown: RgbImage[] = [];
  private waiting: RgbImage[] = [];
  private asked = 0;

  /** @param system replaces the template's system text */
  constructor(
    readonly chat: ChatModel,
    private readonly system?: string,
  ) {}

  /** Turns so far, the system text left out. */
  get messages(): readonly ChatMessage[] {
    return this.turns;
  }

  /** Pictures that come with the next question. */
  get pending(): number {
    return this.waiting.length;
  }

  /** A picture that the next question is about. */
  add(image: RgbImage): void {
    this.waiting.push(image);
  }

  /** Forgets the turns. Pictures stay for the next question, unless others are given. */
  restart(images: readonly RgbImage[] = [...this.shown, ...this.waiting]): void {
    this.waiting = [...images];
    this.turns = [];
    this.shown = [];
  }

  /**
   * Asks, and gives the answer's text as it comes; the pieces joined are the answer. A question whose answer is aborted, or refused, leaves the conversation as it was.
   * @param options as of `streamTokens`; each question of a conversation draws its own random numbers
   * @returns the whole answer
   * @throws NarrowsError for a question with an `<image>` of its own, or one that does not fit; the signal's reason once it is aborted
   */
  async *ask(question: string, options: GenerationOptions = {}): AsyncGenerator<string, Answer, undefined> {
    if (question.includes(IMAGE_MARK))
      throw new NarrowsError('A question must not hold <image>; pictures are put in front of it as they are given.');
    const marks = this.waiting.map(() => `${IMAGE_MARK}\n`).join('');
    const images = [...this.shown, ...this.waiting];
    const turns: ChatMessage[] = [...this.turns, { role: 'user', content: `${marks}${question}` }];
    const messages: ChatMessage[] = this.system === undefined ? turns : [{ role: 'system', content: this.system }, ...turns];
    const prompt = this.chat.prompt(messages, this.chat.pixels(images));
    const began = performance.now();
    const chosen = this.chat.options({ promptNumbers: [this.asked], ...options });
    const { text, finish, tokens } = yield* streamAnswer(this.chat.model, prompt, chosen);
    this.asked++;
    this.turns = [...turns, { role: 'assistant', content: text }];
    this.shown = images;
    this.waiting = [];
    return { question, text, finish, tokens, promptTokens: prompt.ids.length, seconds: (performance.now() - began) / 1000 };
  }
}
