import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command, repository } from '../../../test/support.ts';
import { answerThroughEndpoint } from '../../generation/endpoint/answer.ts';
import { Endpoint } from '../../generation/endpoint/client.ts';
import { generate } from '../../generation/generate.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { workerRuntime } from '../../runtime/worker.ts';
import { silent } from '../../system/log.ts';
import { type RunningServer, type ServeOptions, startServer } from './server.ts';

const scene = `${repository}examples/scene.png`;
const png = new Uint8Array(readFileSync(scene));
const uri = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
const QUESTIONS = ['is there a cat in the picture ?', 'what is in the picture ?', 'how many things are there ?'];
const runtime = workerRuntime({ threads: 1 });
const stop = new AbortController();
let chat: ChatModel;
let server: RunningServer;
const start = (more: Partial<ServeOptions> = {}): Promise<RunningServer> =>
  startServer({
    ...{ chat, defaults: {}, pictures: {}, host: '127.0.0.1', port: 0, maxBody: 2 ** 20, maxQueue: 8, signal: stop.signal, log: silent },
    ...more,
  });
beforeAll(async () => {
  chat = await ChatModel.open('scene-llava', { runtime });
  server = await start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await chat.release();
  await runtime.release?.();
});

const post = (
  body: unknown,
  { url = server.url, headers = {} }: { url?: string; headers?: Record<string, string> } = {},
): Promise<Response> =>
  fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const question = (text: string) => ({
  model: 'scene-llava',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: uri } },
        { type: 'text', text },
      ],
    },
  ],
  temperature: 0,
  max_tokens: 24,
  seed: 0,
});

/** A promise with its end in hand (`Promise.withResolvers` of Node 22). */
function resolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
}

describe('narrows serve', () => {
  it('answers as narrows generate does, whole, as a stream, and through our own client', async () => {
    const image = await decodeImage(scene);
    const prompts = QUESTIONS.map(text => chat.prompt([{ role: 'user', content: `<image>\n${text}` }], chat.pixels([image])));
    const direct = await generate(chat.model, prompts, chat.options({ maxNewTokens: 24, temperature: 0 }));
    expect(new Set(direct.map(({ text }) => text)).size).toBe(QUESTIONS.length);
    await using endpoint = await Endpoint.open({ url: server.url, model: 'scene-llava', env: {} });
    await using streamed = await Endpoint.open({ url: server.url, model: 'scene-llava', env: {}, stream: true });
    for (const [i, text] of QUESTIONS.entries()) {
      const [one, two] = await Promise.all(
        [endpoint, streamed].map(e => answerThroughEndpoint(e, `<image>\n${text}`, [i % 2 ? image : png], { maxTokens: 24 })),
      );
      const expected = direct[i].text.trim();
      expect([one.text, two.text]).toEqual([expected, expected]);
      expect(one.usage).toEqual({
        prompt: prompts[i].ids.length,
        completion: direct[i].ids.length,
        total: prompts[i].ids.length + direct[i].ids.length,
      });
      expect(two).toMatchObject({ finish: one.finish, usage: one.usage });
    }
    const short = await (await post({ ...question('describe the picture .'), max_tokens: 2 })).json();
    expect(short).toMatchObject({ object: 'chat.completion', model: 'scene-llava', choices: [{ index: 0, finish_reason: 'length' }] });
    expect(short.usage.completion_tokens).toBe(2);
  });

  it('writes a stream as OpenAI does', async () => {
    const response = await post({ ...question(QUESTIONS[0]), stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events = (await response.text()).split('\n\n').filter(Boolean);
    expect(events.at(-1)).toBe('data: [DONE]');
    const chunks = events.slice(0, -1).map(event => JSON.parse(event.slice('data: '.length)));
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.at(-2).choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it('draws by the seed where a temperature is given, and stops at a text', async () => {
    const drawn = async (seed: number) =>
      (await (await post({ ...question(QUESTIONS[1]), temperature: 3, top_p: 0.99, seed })).json()).choices[0].message.content;
    const [a, again, b] = [await drawn(1), await drawn(1), await drawn(2)];
    expect(again).toBe(a);
    expect(b).not.toBe(a);
    const whole = (await (await post(question(QUESTIONS[1]))).json()).choices[0].message.content as string;
    const word = whole.split(' ')[1];
    const cut = await (await post({ ...question(QUESTIONS[1]), stop: word })).json();
    expect(cut.choices[0]).toMatchObject({ message: { content: whole.split(' ')[0] }, finish_reason: 'stop' });
  });

  it('lists its model, says that it lives, and refuses in the form of OpenAI', async () => {
    const base = server.url.replace('/v1', '');
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${server.url}/models`)).json()).toMatchObject({
      object: 'list',
      data: [{ id: 'scene-llava', object: 'model' }],
    });
    const refused = async (sent: Promise<Response>): Promise<[number, string]> => {
      const response = await sent;
      const { error } = await response.json();
      expect(error).toMatchObject({ message: expect.any(String), type: expect.any(String) });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      return [response.status, error.message];
    };
    expect(await refused(fetch(`${base}/v2`))).toEqual([404, expect.stringContaining('/v1/chat/completions')]);
    expect((await refused(fetch(`${server.url}/chat/completions`)))[0]).toBe(405);
    expect(await refused(post({ ...question('x'), model: 'gpt-4o' }))).toEqual([404, expect.stringContaining('"scene-llava"')]);
    expect(await refused(post('{"messages":'))).toEqual([400, 'The body is no JSON.']);
    expect((await refused(post(question('x'), { headers: { 'content-type': 'text/plain' } })))[0]).toBe(415);
    expect((await refused(post('x'.repeat(2 ** 20 + 1))))[0]).toBe(413);
    const picture = (url: string) => post({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
    expect(await refused(picture('http://192.0.2.1/a.png'))).toEqual([400, expect.stringContaining('addresses are not fetched')]);
    expect(await refused(picture('data:image/png;base64,%%'))).toEqual([400, 'Picture 1 is no base64 text.']);
    expect(await refused(picture('data:image/png;base64,iVBORw0KGgo='))).toEqual([400, expect.stringContaining('Image 1 of a request')]);
    expect(await refused(post({ messages: [{ role: 'user', content: 'cat '.repeat(3000) }] }))).toEqual([
      400,
      expect.stringContaining('tokens'),
    ]);
    expect(await refused(post({ messages: [{ role: 'user', content: 'a\ud800' }], temperature: -1 }))).toEqual([400, expect.any(String)]);
  });

  it('answers to this machine and, with a token, to who has it', async () => {
    const status = (headers: Record<string, string>, url = server.url): Promise<number | undefined> =>
      new Promise(done => httpRequest(`${url}/models`, { headers }, response => done(response.resume().statusCode)).end());
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ host: 'localhost:1' })).toBe(200);
    await using closed = await start({ token: 'let-me-in', cors: 'http://localhost:3000' });
    expect(await status({}, closed.url)).toBe(401);
    expect(await status({ authorization: 'Bearer let-me-in ' }, closed.url)).toBe(200);
    expect(await status({ authorization: 'Bearer let-me-out' }, closed.url)).toBe(401);
    expect((await fetch(closed.url.replace('/v1', '/health'))).headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    expect((await fetch(`${closed.url}/chat/completions`, { method: 'OPTIONS' })).status).toBe(204);
    await expect(start({ port: Number(new URL(server.url).port) })).rejects.toThrow(/in use; choose another --port/);
  });

  it('answers in order, sends too many away, and drops what nobody waits for', async () => {
    // A model that waits at the gate before it answers, and knows when it was asked to stop.
    const [asked, dropped] = [resolvers(), resolvers()];
    let starts = 0;
    const model = Object.assign(Object.create(chat.model), {
      async start(prompts: never, { signal }: { signal: AbortSignal }) {
        if (starts++ > 0) return chat.model.start(prompts, { signal });
        asked.resolve();
        return new Promise((_, fail) =>
          signal.addEventListener('abort', () => {
            dropped.resolve();
            fail(signal.reason);
          }),
        );
      },
    });
    await using small = await start({ maxQueue: 2, chat: Object.assign(Object.create(chat), { model }) });
    const { hostname, port } = new URL(small.url);
    const body = JSON.stringify(question(QUESTIONS[1]));
    const leaving = connect(Number(port), hostname);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    leaving.write(`${head}\r\n\r\n${body}`);
    await asked.promise;
    const both = [0, 1].map(() => post(question(QUESTIONS[0]), { url: small.url }));
    const first = await Promise.race(both);
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '1']);
    leaving.destroy();
    await dropped.promise;
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 503]);
    expect(starts).toBe(2);
  });

  it('runs as a command, which says where, and ends at once by Ctrl-C', async () => {
    const { file, args } = command(['serve', '--openai', '--json']);
    const child = spawn(file, args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', text => {
      stderr += text;
    });
    const { value: line } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    const { url, model } = JSON.parse(line);
    expect(await (await fetch(`${url}/models`)).json()).toMatchObject({ data: [{ id: model }] });
    child.kill('SIGINT');
    const code = await new Promise(done => child.on('close', done));
    expect([code, stderr]).toEqual([130, expect.stringContaining('Interrupted')]);
  });
});
