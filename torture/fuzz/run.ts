/** @file `npm run torture -- fuzz`: cases in turn over all subjects; each finding is confirmed in a fresh process, shrunk and kept. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CaseLog, type Entry } from '../shared/log.ts';
import type { RunOptions } from '../shared/program.ts';
import { caseSeed } from '../shared/seeds.ts';
import { makeWorld } from '../shared/world.ts';
import { CLASSICS } from './classics.ts';
import { Host } from './host.ts';
import { type Mutation, mutationsOf, shrink } from './mutation.ts';
import type { Subject } from './subject.ts';
import { allSubjects } from './subjects/registry.ts';
import { type Damage, Laboratory, type Trial, Unsound } from './trial.ts';
import type { Verdict } from './verdict.ts';

/** Per call. */
export const LIMITS = { seconds: 20, megabytes: 2048 };

/** A line of the log. */
export interface FuzzEntry extends Entry {
  readonly kind: string;
  readonly subject: string;
  readonly verdict?: Verdict;
  /** Whether a fresh process says the same. */
  readonly confirmed?: boolean;
  /** Exit code, or how the child ended. */
  readonly end: number | string;
  readonly milliseconds: number;
}

/** Kinds whose calls train or write reports: they take seconds, and come in every fourth round. */
const COSTLY = new Set(['boxes', 'resume', 'settings']);

/** Cases take turns over kinds, so that each kind gets its share whatever number of seeds it has. */
function* turns(subjects: readonly Subject[]): Generator<Subject> {
  const kinds = [...new Set(subjects.map(({ kind }) => kind))];
  const taken = new Map<string, number>();
  for (let round = 0; ; round++)
    for (const kind of kinds) {
      if (COSTLY.has(kind) && kinds.length > 1 && round % 4 > 0) continue;
      const some = subjects.filter(one => one.kind === kind);
      const turn = taken.get(kind) ?? 0;
      taken.set(kind, turn + 1);
      yield some[turn % some.length];
    }
}

const message = ({ outcome }: Trial): string =>
  'broken' in outcome ? `${outcome.detail}\n${outcome.said}` : `${outcome.stderr.slice(-2000)}\n${outcome.stack ?? ''}`;

/** Keeps the sound file, the damaged one, and what was said. */
function keep(directory: string, subject: Subject, damage: Damage, trial: Trial, folder: string): void {
  mkdirSync(directory, { recursive: true });
  const { kind, name, file } = subject;
  const flat = file.replaceAll('/', '-');
  cpSync(join(subject.folder, file), join(directory, `sound-${flat}`));
  // A pipe or a device is known by its name, and not copied.
  if (typeof damage !== 'string') cpSync(join(folder, file), join(directory, flat));
  writeFileSync(
    join(directory, 'finding.json'),
    JSON.stringify({ kind, name, file, verdict: trial.verdict, damage, args: trial.args }, null, 1),
  );
  writeFileSync(join(directory, 'said.txt'), message(trial));
}

/** Every fourth case is a classic, the others are made by chance; the words of a call are no file. */
function damageOf({ kind }: Subject, index: number, own: number): Damage {
  const names = Object.keys(CLASSICS);
  return index % 4 === 3 && kind !== 'options' ? names[(own >>> 1) % names.length] : mutationsOf(own);
}

/** Runs cases and gives the log's entries. */
export async function fuzz({ seed, cases, until, output, only, resume = true, say }: RunOptions): Promise<readonly FuzzEntry[]> {
  const world = await makeWorld(join(output, 'world'));
  const subjects = (await allSubjects(world, resume)).filter(one => !only || one.kind === only || one.name.includes(only));
  const log = new CaseLog<FuzzEntry>(join(output, `fuzz-${seed}${only ? `-${only.replaceAll(/\W/g, '-')}` : ''}.jsonl`));
  const host = new Host(LIMITS, { HF_HOME: join(output, 'hf'), NARROWS_SPIN: '0' });
  const laboratory = new Laboratory(output, host, LIMITS);
  const unsound = new Set<Subject>();
  try {
    let index = -1;
    for (const subject of turns(subjects)) {
      index++;
      if (index >= cases || Date.now() >= until) break;
      if (index < log.next) continue;
      const own = caseSeed('fuzz', seed, index);
      const damage = damageOf(subject, index, own);
      if (unsound.has(subject)) continue;
      const began = performance.now();
      const trial = await laboratory.try(subject, damage).catch((error: Error) => {
        if (!(error instanceof Unsound)) throw error;
        unsound.add(subject);
        say(error.message);
        return undefined;
      });
      if (!trial) continue;
      const { verdict, outcome } = trial;
      let confirmed: boolean | undefined;
      if (verdict) {
        confirmed = (await laboratory.confirm(subject, damage)).verdict === verdict;
        const same = async (steps: readonly Mutation[]): Promise<boolean> => (await laboratory.try(subject, steps)).verdict === verdict;
        const small = typeof damage === 'string' || verdict === 'hang' ? damage : await shrink(own, same, 10_000);
        await laboratory.try(subject, small);
        keep(join(output, 'findings', `${seed}-${index}-${verdict}`), subject, small, trial, laboratory.folder);
        say(
          `case ${index} (${subject.name}${typeof damage === 'string' ? `, ${damage}` : ''}): ${verdict}${confirmed ? '' : ', not in a fresh process'}: ${message(trial).trim().split('\n').at(0)}`,
        );
      }
      const end = 'broken' in outcome ? outcome.detail : outcome.code;
      log.add({
        index,
        kind: subject.kind,
        subject: subject.name,
        verdict,
        confirmed,
        end,
        milliseconds: Math.round(performance.now() - began),
      });
    }
  } finally {
    host.stop();
  }
  return log.entries;
}

/** Figures by kind: cases, and findings by verdict. */
export function figures(entries: readonly FuzzEntry[]): string {
  const kinds = [...new Set(entries.map(({ kind }) => kind))].sort();
  const row = (name: string, some: readonly FuzzEntry[]): string => {
    const found = (verdict: Verdict): number => some.filter(one => one.verdict === verdict).length;
    const cells = (['internal', 'abort', 'hang', 'memory', 'nan', 'silent', 'wordless', 'leftover'] as const).map(found);
    return `| ${[name, some.length, some.filter(({ end }) => end === 0).length, ...cells].join(' | ')} |`;
  };
  const head = '| kind | cases | accepted | internal | abort | hang | memory | NaN | silent | wordless | leftover |';
  return [
    head,
    `|${'---|'.repeat(11)}`,
    ...kinds.map(kind =>
      row(
        kind,
        entries.filter(one => one.kind === kind),
      ),
    ),
    row('all', entries),
  ].join('\n');
}
