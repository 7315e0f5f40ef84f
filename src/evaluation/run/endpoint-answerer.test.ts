import { expect, it } from 'vitest';
import type { Endpoint } from '../../generation/endpoint/client.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { AskedTurn } from './answerer.ts';
import { EndpointAnswerer } from './endpoint-answerer.ts';

it('keeps a damaged picture as the failure of its question, and throws an error of the program', async () => {
  const answerer = new EndpointAnswerer({ model: 'm' } as Endpoint, {});
  const turn = (error: Error): AskedTurn => ({ number: 0, text: '<image>', pictures: [{ key: 'a', read: () => Promise.reject(error) }] });
  const answers: unknown[] = [];
  const damaged = turn(new NarrowsError('a.png is damaged.'));
  await answerer.answer([damaged], (_, answered) => answers.push(answered));
  expect(answers).toEqual([{ failure: 'a.png is damaged.' }]);
  await expect(answerer.answer([turn(new TypeError('a bug')), damaged], (_, answered) => answers.push(answered))).rejects.toThrow('a bug');
  expect(answers).toHaveLength(2);
});
