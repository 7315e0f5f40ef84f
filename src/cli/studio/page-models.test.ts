/** @file The page's models over a real backend: who waits until none is being opened finds the one that was chosen. */
import { effect } from '@preact/signals';
import { afterAll, expect, it } from 'vitest';
import { chatModel, openChatModel } from '../../studio/page/chat/conversation.ts';
import { opening, start } from '../../studio/page/state/studio.ts';
import { testStudio } from './testing/studio.ts';

const studio = await testStudio({});
afterAll(() => studio[Symbol.asyncDispose]());

it('a model that was chosen is the page’s before it counts as opened: no default comes behind it', async () => {
  await start(async () => studio.client);
  const seen: (readonly [opening: string | undefined, chat: string | undefined])[] = [];
  const stop = effect(() => {
    seen.push([opening.value?.reference, chatModel.value?.id]);
  });
  expect(await openChatModel('scene-llava')).toBe(true);
  stop();
  const [before, ...since] = seen;
  expect(before).toEqual([undefined, undefined]);
  expect(since[0]).toEqual(['scene-llava', undefined]);
  expect(since.at(-1)).toEqual([undefined, 'scene-llava']);
  // Chat opens its default where nothing is being opened and no model is there.
  expect(since.filter(([wanted, chat]) => wanted === undefined && chat === undefined)).toEqual([]);
});
