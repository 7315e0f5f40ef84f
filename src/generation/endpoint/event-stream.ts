/** @file An answer that came as a stream of server-sent events, put together. */

/** A streamed answer in the form of one that came whole; `whole` tells whether its end was seen. */
export interface StreamedAnswer {
  readonly whole: boolean;
  /** As the body of a reply that came at once. */
  readonly body: Readonly<Record<string, unknown>>;
}

interface Chunk {
  readonly error?: unknown;
  readonly model?: unknown;
  readonly usage?: unknown;
  readonly choices?: readonly {
    readonly index?: number;
    readonly delta?: { readonly content?: unknown; readonly refusal?: unknown };
    readonly finish_reason?: unknown;
  }[];
}

/** The data of each event: comments and other fields left out, several `data` lines of one event joined. */
export function eventData(text: string): string[] {
  return text
    .split(/\r?\n\r?\n/)
    .map(event =>
      event
        .split(/\r?\n/)
        .filter(line => line.startsWith('data:'))
        .map(line => line.slice('data:'.length).replace(/^ /, ''))
        .join('\n'),
    )
    .filter(data => data !== '');
}

/**
 * Puts the chunks of a stream together.
 * @throws SyntaxError for a chunk that is no JSON: the stream was cut in the middle of it
 */
export function joinStream(text: string): StreamedAnswer {
  let [content, refusal, done] = ['', '', false];
  let finish: unknown = null;
  let [model, usage]: [unknown, unknown] = [undefined, undefined];
  for (const data of eventData(text)) {
    if (data.trim() === '[DONE]') {
      done = true;
      break;
    }
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error) return { whole: true, body: { error: chunk.error } };
    model ??= chunk.model;
    usage = chunk.usage ?? usage;
    for (const { index = 0, delta, finish_reason } of chunk.choices ?? []) {
      if (index !== 0) continue;
      if (typeof delta?.content === 'string') content += delta.content;
      if (typeof delta?.refusal === 'string') refusal += delta.refusal;
      finish = finish_reason ?? finish;
    }
  }
  const message = { role: 'assistant', content, ...(refusal ? { refusal } : {}) };
  const body = { ...(model === undefined ? {} : { model }), choices: [{ index: 0, message, finish_reason: finish }], usage };
  return { whole: done || finish !== null, body };
}
