import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerThroughEndpoint } from './answer.ts';
import { Endpoint, type EndpointOptions } from './client.ts';
import type { EndpointError } from './failure.ts';
import { type Answerer, completion, endpointServer, json } from './testing/endpoint-server.ts';

const KEY = 'sk-very-secret-0123456789';
const ENV = { OPENAI_API_KEY: KEY };
const messages = [{ role: 'user' as const, content: 'Which?' }];
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'narrows-endpoint-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = (url: string, more: Partial<EndpointOptions> = {}): Promise<Endpoint> =>
  Endpoint.open({ url, model: 'judge-1', env: ENV, retryDelay: 1, ...more });

/** The failure that a question meets at a server that answers so, with the requests that it took. */
async function failureAt(answer: Answerer, more: Partial<EndpointOptions> = {}): Promise<{ error: EndpointError; requests: number }> {
  await using server = await endpointServer(answer);
  await using endpoint = await open(server.url, { retries: 2, ...more });
  const error = await endpoint.ask(messages).then(
    () => undefined,
    e => e as EndpointError,
  );
  for (const secret of [KEY, server.host]) expect(inspect(error)).not.toContain(secret);
  return { error: error!, requests: server.received.length };
}

describe('Endpoint', () => {
  it('asks with a key, and tries again after 429, 503, HTML, cut bodies and cut lines', async () => {
    const bad: Answerer[] = [
      (_, r) => json(r, { error: { message: 'slow down' } }, 429, { 'retry-after-ms': '20' }),
      (_, r) => json(r, {}, 503),
      (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>gateway</html>'),
      (_, r) => void r.writeHead(200, { 'content-length': '500' }).write('{"choices":[{', () => r.socket?.destroy()),
      (_, r) => void r.socket?.destroy(),
      (_, r) => void r.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"choices":[{"delta":{"content":"8"}}]}\n\n'),
    ];
    await using server = await endpointServer((q, r, n) => (bad[n] ? bad[n](q, r, n) : json(r, completion('8 7'))));
    await using endpoint = await open(server.url, { retries: bad.length });
    const began = performance.now();
    expect(await endpoint.ask(messages)).toMatchObject({ text: '8 7', finish: 'stop', usage: { prompt: 10 }, cached: false, warnings: [] });
    expect(performance.now() - began).toBeGreaterThan(19);
    expect(server.received).toHaveLength(bad.length + 1);
    expect(server.received[0]).toMatchObject({ path: '/v1/chat/completions', headers: { authorization: `Bearer ${KEY}` } });
    expect(endpoint.cost).toEqual({ requests: 7, repeated: 6, cached: 0, promptTokens: 10, completionTokens: 2, uncounted: 0 });
    expect(inspect(endpoint, { depth: 9, showHidden: true }) + JSON.stringify(endpoint)).not.toMatch(new RegExp(`${KEY}|${server.host}`));
  });

  it('gives up with one sentence and a kind', async () => {
    const always =
      (status: number, body: unknown): Answerer =>
      (_, r) =>
        json(r, body, status);
    expect(await failureAt(always(500, {}))).toMatchObject({ error: { failure: 'server error', stops: false }, requests: 3 });
    expect(await failureAt(always(429, {}))).toMatchObject({ error: { failure: 'busy', stops: true }, requests: 3 });
    expect(await failureAt(always(401, { error: { message: `Wrong key ${KEY}` } }))).toMatchObject({
      error: { failure: 'authentication', stops: true },
      requests: 1,
    });
    expect(await failureAt(always(400, { error: { message: `No, ${KEY}` } }))).toMatchObject({
      error: { failure: 'bad request', message: 'The endpoint refuses the request (400) (No, [key]).' },
      requests: 1,
    });
    const html = await failureAt((_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>'));
    expect(html).toMatchObject({ error: { failure: 'malformed' }, requests: 3 });
    expect(html.error.message).toContain('web page');
    // Whoever waits for a turn ends with the one that was refused.
    await using server = await endpointServer(always(401, {}));
    await using endpoint = await open(server.url, { concurrency: 2 });
    const all = await Promise.allSettled(Array.from({ length: 9 }, (_, repeat) => endpoint.ask(messages, {}, repeat)));
    expect(new Set(all.map(one => one.status === 'rejected' && one.reason.failure))).toEqual(new Set(['authentication']));
    expect(server.received.length).toBeLessThanOrEqual(2);
    // A server that asks for an hour is not waited for.
    const hour = await failureAt((_, r) => json(r, {}, 503, { 'retry-after': '3600' }));
    expect(hour).toMatchObject({ error: { failure: 'busy' }, requests: 1 });
  });

  it('waits no longer than it was allowed to, and says when nothing is there', async () => {
    const slow = await failureAt(() => {}, { timeout: 40, retries: 1 });
    expect(slow).toMatchObject({ error: { failure: 'slow', stops: false }, requests: 2 });
    const drip: Answerer = (_, r) => {
      r.writeHead(200, { 'content-type': 'application/json' }).write('{"choices":');
    };
    expect(await failureAt(drip, { timeout: 40, retries: 0 })).toMatchObject({ error: { failure: 'slow' } });
    let url = '';
    {
      await using server = await endpointServer(() => {});
      url = server.url;
    }
    await using endpoint = await open(url, { retries: 1 });
    await expect(endpoint.ask(messages)).rejects.toMatchObject({ failure: 'unreachable', stops: true });
    await expect(endpoint.ask(messages)).rejects.toThrow('nothing listens there');
  });

  it('sends neither key nor question to another origin, and follows a redirect within its own', async () => {
    await using other = await endpointServer((_, r) => json(r, completion('stolen')), '127.0.0.2');
    const away = await failureAt((_, r) => void r.writeHead(307, { location: `${other.url}/chat/completions` }).end());
    expect(away).toMatchObject({ error: { failure: 'redirect', stops: true }, requests: 1 });
    expect(away.error.message).not.toContain('127.0.0.2');
    expect(other.received).toHaveLength(0);
    await using server = await endpointServer((q, r) =>
      q.path === '/v1/chat/completions' ? void r.writeHead(308, { location: '/v2/chat' }).end() : json(r, completion('yes')),
    );
    await using endpoint = await open(server.url);
    expect((await endpoint.ask(messages)).text).toBe('yes');
    expect(server.received.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v2/chat']);
    const round = await failureAt((q, r) => void r.writeHead(307, { location: q.path }).end());
    expect(round).toMatchObject({ error: { failure: 'redirect' }, requests: 4 });
  });

  it('refuses another model, and says under which name its model answers', async () => {
    const as =
      (model: string): Answerer =>
      (_, r) =>
        json(r, { ...completion('x'), model });
    const wrong = await failureAt(as('other-7b'));
    expect(wrong).toMatchObject({ error: { failure: 'other model', stops: true }, requests: 1 });
    const warnings: string[] = [];
    await using server = await endpointServer(as('judge-1-2024-08-06'));
    await using endpoint = await open(server.url, { onWarning: w => warnings.push(w) });
    await Promise.all([0, 1, 2].map(repeat => endpoint.ask(messages, {}, repeat)));
    expect(warnings).toEqual(['The endpoint answers for judge-1 as judge-1-2024-08-06.']);
  });

  it('names the length as the server wants it, from then on', async () => {
    await using server = await endpointServer((q, r) =>
      'max_tokens' in q.body
        ? json(r, { error: { message: 'Unsupported parameter', code: 'unsupported_parameter', param: 'max_tokens' } }, 400)
        : json(r, completion(`${q.body.max_completion_tokens}`)),
    );
    await using endpoint = await open(server.url);
    expect((await endpoint.ask(messages, { maxTokens: 9 })).text).toBe('9');
    expect((await endpoint.ask(messages, { maxTokens: 8 })).text).toBe('8');
    expect(server.received).toHaveLength(3);
  });

  it('has no more requests under way than it may, and none beyond its budget', async () => {
    let [now, most] = [0, 0];
    await using server = await endpointServer(async (_, r) => {
      most = Math.max(most, ++now);
      await new Promise(done => setTimeout(done, 5));
      now--;
      json(r, completion('x'));
    });
    await using endpoint = await open(server.url, { concurrency: 3, maxRequests: 8 });
    const asked = await Promise.allSettled(Array.from({ length: 10 }, (_, repeat) => endpoint.ask(messages, {}, repeat)));
    expect(most).toBe(3);
    const failed = asked.filter(one => one.status === 'rejected').map(({ reason }) => reason as EndpointError);
    expect(failed.map(({ failure, stops }) => [failure, stops])).toEqual(Array(2).fill(['budget', true]));
    expect(server.received).toHaveLength(8);
  });

  it('lets nobody ask while the server wants quiet', async () => {
    const at: number[] = [];
    await using server = await endpointServer((_, r, n) => {
      at.push(performance.now());
      if (n === 0) json(r, {}, 429, { 'retry-after-ms': '150' });
      else json(r, completion('x'));
    });
    await using endpoint = await open(server.url);
    const first = endpoint.ask(messages);
    await new Promise(done => setTimeout(done, 50));
    await Promise.all([first, endpoint.ask(messages, {}, 1)]);
    expect(Math.min(at[1], at[2]) - at[0]).toBeGreaterThan(145);
  });

  it('reads streams, and sends pictures as they are or as PNG', async () => {
    const chunk = (delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ model: 'judge-1', choices: [{ index: 0, delta, finish_reason: finish }] })}\r\n\r\n`;
    await using server = await endpointServer((_, r) => {
      r.writeHead(200, { 'content-type': 'text/event-stream' });
      // A letter of several bytes is cut in two.
      const bytes = Buffer.from(chunk({ content: 'ä' }) + chunk({ content: ' kite' }) + chunk({}, 'stop'));
      const at = bytes.indexOf(0xc3) + 1;
      r.write(bytes.subarray(0, at));
      setTimeout(() => r.end(bytes.subarray(at)), 5);
    });
    await using endpoint = await open(server.url, { stream: true });
    const png = Uint8Array.from(Buffer.from('iVBORw0KGgo=', 'base64'));
    const pixels = { width: 1, height: 1, data: Uint8Array.of(255, 0, 0) };
    const answer = await answerThroughEndpoint(endpoint, '<image>\n<image>\nWhat?', [png, pixels], { system: 'Be brief.', maxTokens: 5 });
    expect(answer.text).toBe('ä kite');
    const [{ body }] = server.received;
    expect(body).toMatchObject({ temperature: 0, max_tokens: 5, seed: 0, stream: true, stream_options: { include_usage: true } });
    expect(body.messages[0]).toEqual({ role: 'system', content: 'Be brief.' });
    expect(body.messages[1].content[0].image_url.url).toBe('data:image/png;base64,iVBORw0KGgo=');
    expect(body.messages[1].content[1].image_url.url).toMatch(/^data:image\/png;base64,iVBORw0KGgo.{20}/);
    expect(body.messages[1].content[2]).toEqual({ type: 'text', text: 'What?' });
    await expect(answerThroughEndpoint(endpoint, 'What?', [Uint8Array.of(66, 77, 0)])).rejects.toThrow(/no PNG, JPEG, GIF or WebP/);
  });

  it('keeps every reply on the disk and sends nothing that is kept, whatever became of the last line', async () => {
    const cache = join(folder, 'replies.jsonl');
    await using server = await endpointServer((q, r) => json(r, completion(q.body.seed === 2 ? '' : `answer ${q.body.seed} ${KEY}`)));
    const askAll = async (endpoint: Endpoint): Promise<(string | undefined)[]> =>
      Promise.all(
        [0, 1, 2].map(seed =>
          endpoint.ask(messages, { seed }).then(
            ({ text }) => text,
            ({ failure }) => failure,
          ),
        ),
      );
    const expected = ['answer 0 [key]', 'answer 1 [key]', 'empty'];
    {
      await using endpoint = await open(server.url, { cache });
      expect(await askAll(endpoint)).toEqual(expected);
      // Held by this run.
      await expect(open(server.url, { cache })).rejects.toThrow(/in use/);
      expect((await endpoint.ask(messages, { seed: 0 })).cached).toBe(true);
      await endpoint.ask(messages, { seed: 0 }, 1);
    }
    expect(server.received).toHaveLength(4);
    const text = readFileSync(cache, 'utf8');
    for (const secret of [KEY, server.host, 'authorization']) expect(text).not.toContain(secret);
    {
      await using endpoint = await open(server.url, { cache, maxRequests: 0 });
      expect(await askAll(endpoint)).toEqual(expected);
      expect(endpoint.cost).toMatchObject({ requests: 0, cached: 3 });
    }
    truncateSync(cache, text.length - 9);
    const warnings: string[] = [];
    await using endpoint = await open(server.url, { cache, onWarning: w => warnings.push(w) });
    expect(await askAll(endpoint)).toEqual(expected);
    expect(warnings[0]).toContain('cut short');
    expect(server.received).toHaveLength(4);
    await endpoint.ask(messages, { seed: 0 }, 1);
    expect(server.received).toHaveLength(5);
  });

  it('asks the same question once, even when it is asked twice at the same time', async () => {
    await using server = await endpointServer((_, r) => json(r, completion('x')));
    await using endpoint = await open(server.url);
    const both = await Promise.all([endpoint.ask(messages), endpoint.ask(messages)]);
    expect(both.map(({ cached }) => cached)).toEqual([false, true]);
    expect(server.received).toHaveLength(1);
  });

  it('ends at once when it is told to', async () => {
    const controller = new AbortController();
    await using server = await endpointServer(() => controller.abort(new Error('enough')));
    await using endpoint = await open(server.url, { signal: controller.signal });
    await expect(endpoint.ask(messages)).rejects.toThrow('enough');
  });

  it('takes addresses and keys only as they should be, and never repeats a key', async () => {
    const refuse = (url: string, more: Partial<EndpointOptions> = {}) => expect(open(url, more)).rejects;
    await refuse('localhost:8000').toThrow(/no web address/);
    await refuse('file:///etc/passwd').toThrow(/no web address/);
    await refuse(`http://user:${KEY}@localhost/v1`).toThrow(/must not hold a name or password/);
    await refuse('http://localhost', { keyVariable: 'JUDGE_KEY' }).toThrow(/JUDGE_KEY.*is not set/);
    const bad = await open('http://localhost', { env: { OPENAI_API_KEY: `${KEY}\nX: y` } }).catch(e => e as Error);
    expect(inspect(bad)).not.toContain(KEY);
    expect((bad as Error).message).toContain('OPENAI_API_KEY holds a character');
    const warnings: string[] = [];
    await (await open('http://192.0.2.1:8000', { onWarning: w => warnings.push(w) })).close();
    expect(warnings).toEqual([expect.stringContaining('unencrypted')]);
  });
});
