/** Translations through an endpoint: what is asked, what is kept, what is refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shiftTextAsync } from '../../shifts/apply.ts';
import { Endpoint } from './client.ts';
import { completion, endpointServer, json } from './testing/endpoint-server.ts';
import { endpointTranslator } from './translator.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'narrows-translator-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('asks with the prompt of the paper, once for each sentence', async () => {
  await using server = await endpointServer((_, response) => json(response, completion(' Τι είναι; ')));
  await using endpoint = await Endpoint.open({ url: server.url, model: 'judge-1', env: {}, cache: join(folder, 'replies.jsonl') });
  const options = { translator: endpointTranslator(endpoint), language: 'Greek', protect: ['<image>'] };
  for (let i = 0; i < 2; i++) expect(await shiftTextAsync('translation', '<image>\nWhat is it?', 1, options)).toBe('<image>\nΤι είναι;');
  expect(server.received.map(({ body }) => body)).toMatchObject([
    {
      messages: [
        { role: 'system', content: expect.stringMatching(/^You are a helpful translator .* into Greek$/) },
        { role: 'user', content: 'What is it?' },
      ],
      temperature: 0,
      seed: 0,
    },
  ]);
});

it('refuses a translation that was cut', async () => {
  await using server = await endpointServer((_, response) => json(response, completion('Τι', { finish_reason: 'length' })));
  await using endpoint = await Endpoint.open({ url: server.url, model: 'judge-1', env: {} });
  const options = { translator: endpointTranslator(endpoint), language: 'Greek' };
  await expect(shiftTextAsync('translation', 'What is it?', 1, options)).rejects.toThrow(
    'The translation of "What is it?" is longer than 1024 tokens and was cut.',
  );
});
