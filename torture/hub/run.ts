/** @file `npm run torture -- hub`: downloads through a hub that misbehaves by a random plan. Right bytes or a sentence; no token to strangers. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { resolveModel } from '../../src/checkpoints/hub/hub.ts';
import { NarrowsError } from '../../src/system/errors.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { CaseLog, type Entry } from '../shared/log.ts';
import type { RunOptions } from '../shared/program.ts';
import { FAULTS, FaultyHub, FILES } from './faults.ts';

/** A line of the log. */
export interface HubEntry extends Entry {
  /** Faults of the first requests, in turn. */
  readonly plan: readonly string[];
  /** `whole`, or the sentence. */
  readonly end: string;
  readonly findings: readonly string[];
}

const TOKEN = 'hf_torturetokenthatmaynotleave';

const files = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => !entry.isDirectory())
        .map(entry => join(entry.parentPath, entry.name))
    : [];

/** What is wrong with a cache: blobs that are not what their names say. */
function corrupt(cache: string): string[] {
  return files(join(cache, 'models--org--name', 'blobs'))
    .filter(path => !path.endsWith('.incomplete'))
    .filter(path => createHash('sha256').update(readFileSync(path)).digest('hex') !== path.split('/').at(-1))
    .map(path => `a blob is not what its name says: ${path.split('/').at(-1)}`);
}

/** One download under a plan, then one without faults on the same cache. */
export async function hubCase(hub: FaultyHub, root: string, plan: readonly string[]): Promise<Omit<HubEntry, 'index'>> {
  const home = join(root, 'hub');
  rmSync(home, { recursive: true, force: true });
  const cache = join(home, 'a', 'b', 'cache');
  mkdirSync(cache, { recursive: true });
  hub.seen.length = 0;
  const findings: string[] = [];
  const get = async (): Promise<string> => {
    try {
      const { directory } = await resolveModel('org/name', {
        env: { HF_ENDPOINT: hub.address, HF_TOKEN: TOKEN },
        ...{ cacheDirectory: cache, retries: 2, retryDelay: 1, stallTimeout: 150, signal: AbortSignal.timeout(60_000) },
      });
      for (const [name, bytes] of Object.entries(FILES))
        if (!existsSync(join(directory, name))) {
          if (name === 'config.json' || name === 'model.safetensors') findings.push(`${name} is missing in what was given as whole`);
        } else if (!readFileSync(join(directory, name)).equals(bytes)) findings.push(`${name} was given with wrong bytes`);
      return 'whole';
    } catch (error) {
      if (!(error instanceof NarrowsError))
        findings.push(`no sentence but ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      return error instanceof Error ? error.message : String(error);
    }
  };
  hub.plan = [...plan];
  const end = await get();
  if (/[\r\n]/.test(end)) findings.push(`more than a sentence: ${JSON.stringify(end)}`);
  if (end.includes(TOKEN)) findings.push('the sentence holds the token');
  findings.push(...corrupt(cache));
  hub.plan = [];
  const clean = await get();
  // A list that says less than there is gives a snapshot that is whole by that list.
  if (clean !== 'whole') findings.push(`afterwards nothing can be had: ${clean}`);
  findings.push(...corrupt(cache));
  for (const { host, authorization, url } of hub.seen)
    if (host === 'stranger' && authorization !== undefined) findings.push(`the token went to another host: ${url}`);
  if (!hub.seen.some(({ host, authorization }) => host === 'hub' && authorization === `Bearer ${TOKEN}`))
    findings.push('the hub never saw the token');
  const outside = files(home).filter(path => !path.startsWith(`${cache}/`));
  if (outside.length > 0 || existsSync('/tmp/narrows-climbed.json')) findings.push(`written outside of the cache: ${outside.join(', ')}`);
  if (files(cache).some(path => readFileSync(path).includes(TOKEN))) findings.push('the cache holds the token');
  return { plan, end: end === 'whole' ? end : end.replaceAll(home, '').slice(0, 200), findings: [...new Set(findings)] };
}

/** Every fault alone at each of the first requests, then random plans. */
function planOf(index: number, random: RandomStream): string[] {
  const names = Object.keys(FAULTS);
  const places = 4;
  if (index < names.length * places) {
    const fault = names[index % names.length];
    const at = Math.floor(index / names.length);
    return at < 3 ? [...Array<string>(at).fill('none'), fault] : Array<string>(40).fill(fault);
  }
  const drawn = random.words(0, index, new Uint32Array(9));
  return [...drawn.subarray(1, 2 + (drawn[0] % 8))].map(word => (word % 3 === 0 ? 'none' : names[(word >>> 2) % names.length]));
}

/** Cases of every fault alone. */
export const EVERY_FAULT: number = Object.keys(FAULTS).length * 4;

/** Runs cases. */
export async function tortureHub({ seed, cases, until, output, say }: RunOptions): Promise<readonly HubEntry[]> {
  const log = new CaseLog<HubEntry>(join(output, `hub-${seed}.jsonl`));
  const random = new RandomStream(seed, 'hub');
  await using hub = await FaultyHub.start();
  for (let index = log.next; index < cases && Date.now() < until; index++) {
    const found = await hubCase(hub, output, planOf(index, random));
    log.add({ index, ...found });
    if (found.findings.length > 0) say(`case ${index} (${found.plan.slice(0, 9).join(', ')}): ${found.findings.join('; ')}`);
  }
  rmSync(join(output, 'hub'), { recursive: true, force: true });
  return log.entries;
}

/** Figures. */
export function hubFigures(entries: readonly HubEntry[]): string {
  const whole = entries.filter(({ end }) => end === 'whole').length;
  const found = entries.filter(({ findings }) => findings.length > 0).length;
  return [
    '| scenarios | whole downloads | sentences | findings |',
    '|---|---|---|---|',
    `| ${entries.length} | ${whole} | ${entries.length - whole} | ${found} |`,
  ].join('\n');
}
