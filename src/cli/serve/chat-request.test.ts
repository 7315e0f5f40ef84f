import { describe, expect, it } from 'vitest';
import { type EndpointMessage, requestBody } from '../../generation/endpoint/request.ts';
import { type ApiError, apiError, errorBody } from './api-error.ts';
import { chatRequest } from './chat-request.ts';

const uri = 'data:image/png;base64,AA==';
const image = (name = uri) => ({ type: 'image_url', image_url: { url: name } });
const text = (words: string) => ({ type: 'text', text: words });
const ask = (content: unknown, more: object = {}) => chatRequest({ messages: [{ role: 'user', content }], ...more });
const error = (body: unknown): ApiError => {
  try {
    chatRequest(body);
  } catch (e) {
    return apiError(e);
  }
  throw new Error('taken');
};

describe('chatRequest', () => {
  it('puts pictures in front on lines of their own, those behind all text too, those between texts where they are', () => {
    expect(ask([image('a'), text('What?')])).toMatchObject({ messages: [{ content: '<image>\nWhat?' }], pictures: ['a'] });
    expect(ask([text('What?'), image('a'), image('b')])).toMatchObject({ messages: [{ content: '<image>\n<image>\nWhat?' }] });
    const mixed = ask([image('a'), text('Of '), image('b'), text(', or '), image('c')]);
    expect(mixed).toMatchObject({ messages: [{ content: '<image>\n<image>\nOf <image>, or ' }], pictures: ['c', 'a', 'b'] });
    expect(ask([text('a'), text('b')]).messages[0].content).toBe('a\nb');
    expect(ask([{ type: 'image_url', image_url: uri }, text('x')]).pictures).toEqual([uri]);
  });

  it('reads back what our client writes', () => {
    for (const content of [
      '<image>\nWhat?',
      '<image>\n<image>\nWhat?',
      'Of <image> and\n<image>, which?',
      '<image>\nIs it like <image>\n?',
    ]) {
      const pictures = content.match(/<image>/g)!.map((_, i) => `data:${i}`);
      const messages: EndpointMessage[] = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content, pictures },
      ];
      const read = chatRequest(
        JSON.parse(JSON.stringify(requestBody('m', messages, { temperature: 0, maxTokens: 7, seed: 3, stop: ['x'] }))),
      );
      expect(read).toMatchObject({ model: 'm', messages: [messages[0], { role: 'user', content }], pictures, stream: false });
      expect(read.options).toMatchObject({ temperature: 0, maxNewTokens: 7, seed: 3, stop: ['x'] });
    }
  });

  it('takes the newer name of the length first, and what changes nothing', () => {
    const read = ask('x', { max_tokens: 3, max_completion_tokens: 5, n: 1, logit_bias: {}, response_format: { type: 'text' }, user: 'me' });
    expect(read.options.maxNewTokens).toBe(5);
    expect(ask('x', { stop: 'END', top_k: -1 }).options).toMatchObject({ stop: ['END'], topK: undefined });
  });

  it('refuses what it cannot do, and names the key', () => {
    const messages = [{ role: 'user', content: 'x' }];
    expect(error({ messages, n: 2 })).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'n' });
    expect(error({ messages, response_format: { type: 'json_object' } })).toMatchObject({ param: 'response_format' });
    expect(error({ messages, temperature: 'hot' })).toMatchObject({ status: 400, param: 'temperature' });
    expect(error({ messages: [] })).toMatchObject({ param: 'messages' });
    expect(error('x')).toMatchObject({ status: 400, param: null });
    expect(error({ messages: [...messages, ...messages] }).message).toContain('turns must alternate');
    expect(error({ messages: [...messages, { role: 'assistant', content: 'y' }] }).message).toContain('must be of the user');
    expect(error({ messages: [{ role: 'user', content: 'the <image>' }] }).message).toContain('send pictures as image_url');
    expect(error({ messages: [{ role: 'tool', content: 'x' }] })).toMatchObject({ param: 'messages' });
    expect(errorBody(apiError(new TypeError('secret path')))).toEqual({
      error: { message: expect.not.stringContaining('secret'), type: 'server_error', param: null, code: null },
    });
  });
});
