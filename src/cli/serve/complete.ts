/** @file An answer of the model to one request, piece by piece. */
import { streamAnswer } from '../../generation/answer-stream.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import type { FinishReason, GenerationOptions } from '../../generation/generate.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { ChatRequest } from './chat-request.ts';
import { requestPicture } from './pictures.ts';

/** What a server answers with. */
export interface Answering {
  readonly chat: ChatModel;
  /** Of the server's flags; a request goes over them. */
  readonly defaults: GenerationOptions;
  /** In front of conversations that bring no system text. */
  readonly system?: string;
  readonly pictures: ImageReadOptions;
}

/** How an answer ended. */
export interface Completed {
  readonly text: string;
  readonly finish: FinishReason;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

const defined = (options: GenerationOptions): GenerationOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as GenerationOptions;

/**
 * Answers a request: the same text as `narrows generate` gives. Its pieces joined are the text.
 * @throws ApiError or NarrowsError for a request that cannot be answered, before the first piece; the signal's reason
 */
export async function* complete(
  answering: Answering,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<string, Completed, undefined> {
  const { chat, defaults, system, pictures: reading } = answering;
  const pictures = await Promise.all(request.pictures.map((uri, i) => requestPicture(uri, i + 1, reading)));
  signal.throwIfAborted();
  const own = request.messages[0].role === 'system' || system === undefined;
  const messages = own ? request.messages : [{ role: 'system' as const, content: system }, ...request.messages];
  const prompt = chat.prompt(messages, chat.pixels(pictures));
  const options = chat.options({ ...defined(defaults), ...defined(request.options), signal });
  const { text, finish, tokens } = yield* streamAnswer(chat.model, prompt, options);
  return { text, finish, promptTokens: prompt.ids.length, completionTokens: tokens };
}
