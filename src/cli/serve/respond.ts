/** @file What goes back for a chat completion: whole, or as a stream of server-sent events. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { apiError, errorBody } from './api-error.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Completed } from './complete.ts';

/** Writes a value as JSON. */
export function writeJson(response: ServerResponse, status: number, value: object, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}`, ...headers }).end(body);
}

const usageOf = ({ promptTokens, completionTokens }: Completed): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});
const finishOf = ({ finish }: Completed): string => (finish === 'length' ? 'length' : 'stop');

/** What stands in every reply and in every chunk of it. */
const headOf = (model: string, object: string): object => ({
  id: `chatcmpl-${randomUUID()}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model,
});

/** Waits for the whole answer. */
export async function respondWhole(response: ServerResponse, model: string, pieces: AsyncGenerator<string, Completed>): Promise<Completed> {
  let step = await pieces.next();
  while (!step.done) step = await pieces.next();
  const message = { role: 'assistant', content: step.value.text };
  writeJson(response, 200, {
    ...headOf(model, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(step.value) }],
    usage: usageOf(step.value),
  });
  return step.value;
}

/** Sends each piece as it comes. What fails behind the first piece is sent as an error event, and the stream ends without `[DONE]`. */
export async function respondStream(
  response: ServerResponse,
  model: string,
  pieces: AsyncGenerator<string, Completed>,
  { includeUsage }: Pick<ChatRequest, 'includeUsage'>,
): Promise<Completed> {
  // Requests that cannot be answered fail here, while a status can still be sent.
  let step = await pieces.next();
  const head = headOf(model, 'chat.completion.chunk');
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' });
  const send = (value: object): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
  const chunk = (delta: object, finish: string | null = null): void =>
    send({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...(includeUsage ? { usage: null } : {}) });
  chunk({ role: 'assistant', content: '' });
  try {
    while (!step.done) {
      chunk({ content: step.value });
      step = await pieces.next();
    }
  } catch (error) {
    send(errorBody(apiError(error)));
    response.end();
    throw error;
  }
  chunk({}, finishOf(step.value));
  if (includeUsage) send({ ...head, choices: [], usage: usageOf(step.value) });
  response.end('data: [DONE]\n\n');
  return step.value;
}
