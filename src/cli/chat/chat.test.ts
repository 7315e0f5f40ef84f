import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatSession } from '../../generation/chat-session.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { writePicture, writeTinyChat } from '../../generation/testing/tiny-chat.ts';
import { createColours } from '../../node/colours.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { Talk, type TalkOutput } from './talk.ts';
import { talkInTerminal } from './terminal.ts';

let root: string;
let chat: ChatModel;
let red: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-talk-'));
  chat = await ChatModel.open(await writeTinyChat(join(root, 'tiny')), { runtime: nodeRuntime({ threads: 1 }) });
  red = await writePicture(join(root, 'a red one.png'), [250, 10, 0]);
});
afterAll(async () => {
  await chat.release();
  await rm(root, { recursive: true });
});

/** A talk whose words are kept. */
function talk(maxNewTokens = 4, onPiece = (_: string): void => {}) {
  const said: string[] = [];
  const output: TalkOutput = {
    piece: onPiece,
    answered: ({ text }) => said.push(`answer: ${text}`),
    problem: sentence => said.push(`problem: ${sentence}`),
    note: sentence => said.push(`note: ${sentence}`),
  };
  return { talk: new Talk(new ChatSession(chat), { maxNewTokens }, output), said };
}

describe('Talk', () => {
  it('takes commands and questions, and bad ones end nothing', async () => {
    const { talk: t, said } = talk();
    const outcomes: string[] = [];
    for (const line of ['', 'is it ?', `/image "${red}"`, 'is it ?', '/reset', 'is it ?', '/image', '/add nowhere.png', '/fly', '/exit'])
      outcomes.push(await t.line(line));
    expect(outcomes).toEqual(['done', 'answered', 'done', 'answered', 'done', 'answered', 'failed', 'failed', 'failed', 'exit']);
    expect(said[1]).toBe(`note: A new conversation about ${red}.`);
    expect(said[3]).toBe('note: A new conversation about the same pictures.');
    expect(said[4]).toBe(said[2]);
    expect(said.slice(5)).toEqual([
      'problem: /image needs the path of a picture, such as /image photo.jpg.',
      'problem: Image nowhere.png does not exist; check the path.',
      'problem: There is no command /fly; /help lists them.',
    ]);
    expect(t.failures).toBe(3);
  });
});

/** A terminal under test. */
function terminal(maxNewTokens: number, onPiece?: (text: string, type: (keys: string) => void) => void) {
  const input = new PassThrough();
  const output = new PassThrough();
  let screen = '';
  output.on('data', data => {
    screen += data;
  });
  const type = (keys: string): void => void input.write(keys);
  const { talk: t, said } = talk(maxNewTokens, text => onPiece?.(text, type));
  const controller = new AbortController();
  const code = talkInTerminal(t, { input, output, colours: createColours({ isTTY: false }, { NO_COLOR: '1' }), signal: controller.signal });
  return { type, said, code, controller, t, screen: () => screen };
}
const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 60));

describe('talkInTerminal', () => {
  it('ends an answer by Ctrl-C, goes on, and leaves by a second one', async () => {
    let pieces = 0;
    const { type, code, said, screen, t } = terminal(40, (_, keys) => {
      if (++pieces === 2) keys('\x03');
    });
    type('is it ?\r');
    while (!screen().includes('Stopped')) await settled();
    expect([said, t.session.messages.length]).toEqual([[], 0]);
    type('\x03');
    expect(await code).toBe(130);
  });

  it('does not leave by the first Ctrl-C of an idle prompt, nor by two with a line between', async () => {
    const { type, code, said, screen } = terminal(2);
    type('half a quest');
    type('\x03');
    while (!screen().includes('Ctrl-C again')) await settled();
    type('is it ?\r');
    while (said.length < 1) await settled();
    type('\x03');
    await settled();
    type('/exit\r');
    expect(await code).toBe(0);
    expect(said).toHaveLength(1);
  });

  it('answers lines that came in at once in their order, leaves by Ctrl-D, and stops when all is stopped', async () => {
    const first = terminal(2);
    first.type('is it ?\ris it red ?\r');
    while (first.said.length < 2) await settled();
    first.type('\x04');
    expect(await first.code).toBe(0);
    const second = terminal(40, () => second.controller.abort(new Error('stopped')));
    second.type('is it ?\r');
    await expect(second.code).rejects.toThrow('stopped');
  });
});
