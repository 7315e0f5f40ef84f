/** @file What cases work on: tiny models, pictures and lists in a folder. Everything is made from the tests' own makers, so that seeds are sound. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePicture as writeColour, writeTinyChat } from '../../src/generation/testing/tiny-chat.ts';
import { writeTinyData, writeTinyLlava } from '../../src/tuning/llava/testing/tiny-llava.ts';
import { repository, writePicture, writeTinyModel } from '../../test/support.ts';

/** Places of the world's things. */
export interface World {
  readonly root: string;
  /** Absolute path of a thing. */
  at(...parts: string[]): string;
  /** Address of an endpoint that judges answers, where one is open. */
  readonly judge?: string;
}

/** A file of this repository. */
export const inRepository = (...parts: string[]): string => join(repository, ...parts);

const lines = (rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('');

/** Makes the world where it is not there yet. */
export async function makeWorld(root: string): Promise<World> {
  const at = (...parts: string[]): string => join(root, ...parts);
  const world = { root, at };
  if (existsSync(at('whole'))) return world;
  mkdirSync(at('images'), { recursive: true });
  await writeTinyModel(at('clip'));
  await writeTinyChat(at('llava'));
  await writeTinyLlava(at('tune', 'model'));
  await writeTinyData(at('tune'), 10);
  await writePicture(at('disc.png'));
  await writePicture(at('images', 'a.png'), 48, 48);
  await writePicture(at('images', 'b.png'), 60, 40, 8);
  await writeColour(at('images', 'red.png'), [250, 10, 0]);
  const captions = ['a cat', 'a dog', 'a red apple'];
  writeFileSync(at('images', 'pairs.csv'), `image,text\n${captions.map((text, i) => `${'ab'[i % 2]}.png,${text}\n`).join('')}`);
  writeFileSync(
    at('questions.jsonl'),
    lines([
      { question_id: 'q0', image: 'red.png', text: 'is there a cat ?' },
      { question_id: 'q1', text: 'what color ?' },
    ]),
  );
  cpSync(inRepository('src/models/llava/testdata/peft-tiny'), at('adapter'), { recursive: true });
  writeFileSync(at('whole'), '');
  return world;
}
