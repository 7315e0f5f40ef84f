/** @file `npm run torture -- kill`: `kill -9` at random points of every resumable command; the end must be that of the undisturbed run. */

import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completion, type EndpointServer, endpointServer, json } from '../../src/generation/endpoint/testing/endpoint-server.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { narrows } from '../shared/call.ts';
import { lastNodeOf, workOfFamily } from '../shared/limits.ts';
import { CaseLog, type Entry } from '../shared/log.ts';
import type { RunOptions } from '../shared/program.ts';
import { type Resumable, resumable } from '../shared/resumable.ts';
import { differences } from '../shared/same.ts';
import { makeWorld, type World } from '../shared/world.ts';

/** A line of the log: one run that was killed and went on to its end. */
export interface KillEntry extends Entry {
  readonly command: string;
  /** Shares of the undisturbed run's work after which it was killed. */
  readonly kills: readonly number[];
  /** Kills that came before the end of the process. */
  readonly hit: number;
  readonly differences: readonly string[];
  /** What the last run said where it failed. */
  readonly failed?: string;
}

/** The undisturbed run and its work in seconds; made once. */
export async function undisturbed(one: Resumable, folder: string, world: World): Promise<number> {
  const mark = join(folder, 'work.json');
  if (existsSync(mark)) return JSON.parse(readFileSync(mark, 'utf8')) as number;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (one.name === 'audit') await makeChests(world);
  let work = 0;
  let timer: NodeJS.Timeout | undefined;
  const ended = await narrows(one.words, {
    cwd: folder,
    onStart: child => {
      timer = setInterval(() => {
        work = workOfFamily(child.pid!) ?? work;
      }, 20);
    },
  });
  clearInterval(timer);
  if (ended.code !== 0) throw new Error(`${one.name} fails undisturbed: ${ended.stderr}`);
  writeFileSync(mark, JSON.stringify(work));
  return work;
}

/** Runs until `share` of the work is done, then kills. @returns whether it lived so long */
async function killedAt(one: Resumable, folder: string, seconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  let killed = false;
  const ended = await narrows(one.words, {
    cwd: folder,
    onStart: child => {
      timer = setInterval(() => {
        if (killed || (workOfFamily(child.pid!) ?? 0) < seconds) return;
        killed = true;
        // Behind a launcher it is the last rank that dies; the others are the launcher's to end.
        process.kill(lastNodeOf(child.pid!), 'SIGKILL');
      }, 5);
    },
  });
  clearInterval(timer);
  return killed && ended.code !== 0;
}

/** One case: killed once to three times, then to the end, then compared. */
export async function killCase(one: Resumable, world: World, root: string, random: RandomStream, index: number): Promise<KillEntry> {
  const whole = join(root, 'kill', one.name.replaceAll(/\W+/g, '-'));
  const work = await undisturbed(one, whole, world);
  const folder = join(root, 'kill', 'case');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const drawn = [...random.words(0, index, new Uint32Array(4))].map(word => word / 2 ** 32);
  // Before a quarter of the work Node itself is starting.
  const kills = drawn.slice(1, 2 + Math.floor(drawn[0] * 3)).map(share => Number((0.25 + 0.75 * share).toFixed(3)));
  let hit = 0;
  for (const share of kills) if (await killedAt(one, folder, share * work)) hit++;
  const last = await narrows(one.words, { cwd: folder });
  const failed = last.code === 0 ? undefined : `${last.signal ?? last.code}: ${last.stderr}`;
  const found = differences(join(whole, 'out'), join(folder, 'out'));
  if (failed || found.length > 0) cpSync(folder, join(root, 'findings', `kill-${index}`), { recursive: true });
  return { index, command: one.name, kills, hit, differences: found, failed };
}

function ready(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A judge whose marks depend on what it is asked only. */
const judgeServer = (): Promise<EndpointServer> =>
  endpointServer(({ body }, response) => {
    const sum = createHash('sha256').update(JSON.stringify(body.messages)).digest();
    json(response, completion(`${1 + (sum[0] % 10)} ${1 + (sum[1] % 10)}\nSo it is.`));
  });

/** Lists of more than a few rows, and chests, for runs that are killed on the way. */
export async function makeLongWorld(output: string): Promise<World> {
  const world = await makeWorld(join(output, 'world'));
  const pairs = Array.from({ length: 24 }, (_, i) => `images/${'ab'[i % 2]}.png,a cat ${'and a dog '.repeat(i % 5)}${i}\n`);
  writeFileSync(world.at('pairs24.csv'), `image,text\n${pairs.join('')}`);
  const words = 'is there a cat or two red things left of it'.split(' ');
  const rows = Array.from({ length: 24 }, (_, i) => ({
    question_id: `q${i}`,
    ...(i % 2 ? {} : { image: 'red.png' }),
    text: `${words.slice(0, 1 + ((7 * i) % 10)).join(' ')} ?`,
  }));
  writeFileSync(world.at('questions24.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  const answers = (shift: number): string =>
    rows
      .map(({ question_id }, i) => `${JSON.stringify({ question_id, text: words.slice(0, 1 + ((5 * i + shift) % 10)).join(' ') })}\n`)
      .join('');
  const pictured = rows.map(row => `${JSON.stringify({ ...row, image: 'red.png' })}\n`).join('');
  for (const [name, content] of Object.entries({ questions: pictured, answers: answers(0), shifted: answers(3), references: answers(1) }))
    writeFileSync(join(ready(world.at('emi')), `${name}.jsonl`), content);
  // A projector learns captions: one question, one answer.
  const data = JSON.parse(readFileSync(world.at('tune', 'data.json'), 'utf8')) as { image?: string; conversations: unknown[] }[];
  const captions = data.filter(({ image, conversations }) => image && conversations.length === 2);
  writeFileSync(world.at('tune', 'captions.json'), JSON.stringify(captions));
  if (!existsSync(world.at('many'))) {
    mkdirSync(world.at('many'));
    for (let i = 0; i < 24; i++) cpSync(world.at('images', `${'ab'[i % 2]}.png`), world.at('many', `${i}.png`));
  }
  return world;
}

/** Chests for audits. */
async function makeChests(world: World): Promise<void> {
  if (existsSync(world.at('chests', 'ms-cxr.json'))) return;
  const ended = await narrows(['scenes', '--kind', 'chest', '--count', '6', '--output', 'chests', '--min-findings', '1', '--quiet'], {
    cwd: world.root,
  });
  if (ended.code !== 0) throw new Error(ended.stderr);
}

/** Runs cases over all commands in turn. */
export async function kill({ seed, cases, until, output, only, say }: RunOptions): Promise<readonly KillEntry[]> {
  await using server = await judgeServer();
  const world = { ...(await makeLongWorld(output)), judge: server.url };
  process.env.OPENAI_API_KEY ??= 'none';
  const commands = resumable(world).filter(({ name }) => !only || name.includes(only));
  const log = new CaseLog<KillEntry>(join(output, `kill-${seed}.jsonl`));
  const random = new RandomStream(seed, 'kill');
  for (let index = log.next; index < cases && Date.now() < until; index++) {
    const one = commands[index % commands.length];
    const entry = await killCase(one, world, output, random, index).catch((error: Error): KillEntry => {
      return { index, command: one.name, kills: [], hit: 0, differences: [], failed: error.message };
    });
    log.add(entry);
    if (entry.failed || entry.differences.length > 0)
      say(`case ${index} (${one.name}, killed at ${entry.kills.join(', ')}): ${entry.failed ?? ''} ${entry.differences.join('; ')}`);
  }
  return log.entries;
}

/** Figures by command. */
export function killFigures(entries: readonly KillEntry[]): string {
  const rows = [...new Set(entries.map(({ command }) => command))].map(command => {
    const some = entries.filter(one => one.command === command);
    const sum = (count: (one: KillEntry) => number): number => some.reduce((total, one) => total + count(one), 0);
    const differ = sum(one => (one.differences.length > 0 ? 1 : 0));
    return `| ${command} | ${some.length} | ${sum(one => one.hit)} | ${some.length - differ} | ${differ} | ${sum(one => (one.failed ? 1 : 0))} |`;
  });
  return ['| command | runs | kills | bit-equal ends | other ends | failed |', '|---|---|---|---|---|---|', ...rows].join('\n');
}
