import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventData, joinStream } from './event-stream.ts';
import type { EndpointError } from './failure.ts';
import { askedPause, readResponse } from './read-reply.ts';
import { answerOf, sameModel } from './reply.ts';
import { requestBody } from './request.ts';

interface Exchange {
  readonly name: string;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  readonly expected: {
    readonly text?: string;
    readonly failure?: string;
    readonly retry?: boolean | string;
    readonly after_ms?: number;
    readonly warning?: string;
  };
}

const exchanges = JSON.parse(readFileSync(new URL('testdata/exchanges.json', import.meta.url), 'utf8')) as {
  replies: Exchange[];
  requests: Record<string, unknown>[];
  stream: { lines: string[]; expected_text: string };
};

const read = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  readResponse({ status, headers: new Headers(headers), body: typeof body === 'string' ? body : JSON.stringify(body) });

/** What a response comes to, in the words of exchanges.json. */
function outcomeOf({ status, headers, body }: Exchange): Exchange['expected'] {
  const reading = read(status, body, headers);
  if (reading.kind === 'retry') return { retry: true, ...(reading.afterMs === undefined ? {} : { after_ms: reading.afterMs }) };
  if (reading.kind === 'other length') return { retry: 'once, with max_completion_tokens' };
  if (reading.kind === 'failure') return { retry: false, failure: reading.error.failure };
  try {
    const { text, warnings } = answerOf(reading.reply, false, 1024);
    return { text, ...(warnings.some(w => w.includes('cut')) ? { warning: 'cut' } : {}) };
  } catch (error) {
    return { retry: false, failure: (error as EndpointError).failure };
  }
}

describe('readResponse', () => {
  it.each(exchanges.replies.map(exchange => [exchange.name, exchange] as const))('reads: %s', (_, exchange) => {
    const { note: _note, ...expected } = exchange.expected as Exchange['expected'] & { note?: string };
    // A failure is never tried again, whether the file says so or not.
    const whole = expected.failure !== undefined ? { retry: false, ...expected } : expected;
    expect(outcomeOf(exchange)).toEqual(whole);
  });

  it('keeps the raw text with its thinking', () => {
    const exchange = exchanges.replies.find(({ name }) => name === 'reasoning inside')!;
    const reading = read(200, exchange.body);
    expect(reading.kind === 'reply' && answerOf(reading.reply, false).raw).toBe('<think>Let me see: 9 9?</think>\n\n8 7');
  });

  it('quotes no address, and no words of a server that refuses a key', () => {
    const said = (status: number, message: string): string => {
      const reading = read(status, { error: { message } });
      return reading.kind === 'reply' ? '' : reading.error.message;
    };
    expect(said(500, 'upstream http://10.1.2.3:8000/v1 and gpu7.lab.org:9000 failed')).toBe(
      'The endpoint fails (500) (upstream [address] and [address] failed).',
    );
    expect(said(401, 'Incorrect API key provided: sk-1234')).not.toContain('sk-');
  });

  it('reads how long a server asks to wait', () => {
    const now = Date.parse('2024-05-01T00:00:00Z');
    expect(askedPause(new Headers({ 'retry-after': 'Wed, 01 May 2024 00:00:07 GMT' }), now)).toBe(7000);
    expect(askedPause(new Headers({ 'retry-after-ms': '12.5', 'retry-after': '9' }))).toBe(12.5);
    expect(askedPause(new Headers())).toBeUndefined();
  });
});

describe('requestBody', () => {
  it('is as the golden requests, key by key', () => {
    const [seen, judged] = exchanges.requests;
    const question = 'Is there a kite in the image?\nAnswer the question using a single word or phrase.';
    const pictures = ['data:image/png;base64,iVBORw0KGgo='];
    const settings = { temperature: 0, maxTokens: 128, seed: 0 };
    for (const content of [question, `<image>\n${question}`])
      expect(JSON.stringify(requestBody('model-under-test', [{ role: 'user', content, pictures }], settings))).toBe(JSON.stringify(seen));
    const messages = [
      { role: 'system' as const, content: 'You mark answers.' },
      { role: 'user' as const, content: '[Question]\nWhat is it?\n' },
    ];
    expect(JSON.stringify(requestBody('judge-1', messages, { temperature: 0, maxTokens: 1024 }))).toBe(JSON.stringify(judged));
  });

  it('puts pictures where their marks stand, and counts them', () => {
    const { messages } = requestBody('m', [{ role: 'user', content: 'Of <image> and <image>, which?', pictures: ['a', 'b'] }], {});
    expect((messages[0].content as readonly { type: string }[]).map(({ type }) => type)).toEqual([
      'text',
      'image_url',
      'text',
      'image_url',
      'text',
    ]);
    expect(() => requestBody('m', [{ role: 'user', content: '<image> <image>', pictures: ['a'] }], {})).toThrow(
      /2 <image> marks and 1 pict/,
    );
  });
});

describe('streams', () => {
  const text = exchanges.stream.lines.join('\n');

  it('are put together, whatever their line ends', () => {
    for (const each of [text, text.replaceAll('\n', '\r\n')]) {
      const reading = read(200, each, { 'content-type': 'text/event-stream; charset=utf-8' });
      expect(reading.kind === 'reply' && answerOf(reading.reply, false)).toMatchObject({
        text: exchanges.stream.expected_text,
        finish: 'stop',
        usage: { total: 3 },
      });
    }
    expect(eventData('data: {"a":\ndata: 1}\n\n: x\n\n')).toEqual(['{"a":\n1}']);
  });

  it('that were cut are asked for again, wherever the cut is', () => {
    const headers = { 'content-type': 'text/event-stream' };
    const end = text.indexOf('data: {"id":"x","choices":[{"index":0,"delta":{},"finish');
    for (const at of [0, 30, text.indexOf('7') + 2, end - 1, end + 20]) expect(read(200, text.slice(0, at), headers).kind).toBe('retry');
    expect(joinStream(text.slice(0, text.indexOf('data: [DONE]'))).whole).toBe(true);
    expect(read(200, 'data: {"error":{"message":"out of memory"}}\n\n', headers)).toMatchObject({ kind: 'retry' });
  });
});

describe('what stands in a reply', () => {
  it('thinking that never ended is no answer', () => {
    expect(() => answerOf({ raw: '<think>I wonder', finish: 'length' }, false, 8)).toThrow(
      /thought and gave no answer: it was cut after 8 tokens/,
    );
  });

  it('names of a model may carry a date, a tag, an organisation', () => {
    expect(['gpt-4o', 'gpt-4o-2024-08-06', 'GPT-4o:latest', 'openai/gpt-4o'].map(said => sameModel('gpt-4o', said))).toEqual(
      Array(4).fill(true),
    );
    expect(['gpt-4', 'gpt-4o-mini', 'llava', 'gpt-4o-12345'].map(said => sameModel('gpt-4o', said))).toEqual(Array(4).fill(false));
    expect(sameModel('a/llava', 'b/llava')).toBe(false);
  });
});
