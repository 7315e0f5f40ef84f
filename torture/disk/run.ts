/** @file `npm run torture -- disk`: faults of disks, clocks and neighbours under every resumable command. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../../src/tensor/random.ts';
import { makeLongWorld, undisturbed } from '../kill/run.ts';
import { CaseLog, type Entry } from '../shared/log.ts';
import type { RunOptions } from '../shared/program.ts';
import { resumable } from '../shared/resumable.ts';
import { SCENARIOS } from './scenarios.ts';

/** A line of the log. */
export interface DiskEntry extends Entry {
  readonly fault: string;
  readonly command: string;
  /** `undefined`: it cannot be tried here. */
  readonly findings?: readonly string[];
}

/** Runs cases: every fault on every command in turn. */
export async function disk({ seed, cases, until, output, only, say }: RunOptions): Promise<readonly DiskEntry[]> {
  const world = await makeLongWorld(output);
  const faults = Object.keys(SCENARIOS);
  const pairs = resumable(world)
    .flatMap(one => faults.map(fault => ({ one, fault })))
    .filter(({ one, fault }) => !only || `${one.name} ${fault}`.includes(only))
    // Neighbours of a list differ in both.
    .sort((a, b) => faults.indexOf(a.fault) - faults.indexOf(b.fault));
  const log = new CaseLog<DiskEntry>(join(output, `disk-${seed}.jsonl`));
  const random = new RandomStream(seed, 'disk');
  for (let index = log.next; index < cases && Date.now() < until; index++) {
    const { one, fault } = pairs[(index * 7) % pairs.length];
    const whole = join(output, 'kill', one.name.replaceAll(/\W+/g, '-'));
    const work = await undisturbed(one, whole, world);
    const folder = join(output, 'disk');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const share = random.words(0, index, new Uint32Array(1))[0] / 2 ** 32;
    const findings = await SCENARIOS[fault](one, { folder, whole: join(whole, 'out'), share, work });
    log.add({ index, fault, command: one.name, findings });
    if (!findings) say(`case ${index}: ${fault} cannot be had here (mounting needs rights)`);
    else if (findings.length > 0) say(`case ${index} (${one.name}, ${fault}, ${share.toFixed(2)}): ${findings.join('; ')}`);
  }
  return log.entries;
}

/** Figures by fault. */
export function diskFigures(entries: readonly DiskEntry[]): string {
  const rows = [...new Set(entries.map(({ fault }) => fault))].map(fault => {
    const some = entries.filter(one => one.fault === fault);
    const tried = some.filter(({ findings }) => findings);
    const good = tried.filter(({ findings }) => findings!.length === 0);
    return `| ${fault} | ${tried.length} | ${good.length} | ${tried.length - good.length} | ${some.length - tried.length} |`;
  });
  return ['| fault | cases | as promised | findings | could not be tried |', '|---|---|---|---|---|', ...rows].join('\n');
}
