/** @file One case: the subject's folder copied, its file changed, the call made, the outcome judged. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { narrows } from '../shared/call.ts';
import type { Limits } from '../shared/limits.ts';
import { CLASSICS } from './classics.ts';
import type { Host, Outcome } from './host.ts';
import type { Mutation } from './mutation.ts';
import type { Subject } from './subject.ts';
import { hasNaN, judge, settled, type Verdict } from './verdict.ts';

/** Steps of mutation, or the name of a classic. */
export type Damage = readonly Mutation[] | string;

/** What a case gave. */
export interface Trial {
  readonly verdict?: Verdict;
  readonly outcome: Outcome;
  readonly args: readonly string[];
}

/** The unchanged input is not taken: a subject that tests nothing. */
export class Unsound extends Error {}

/** Makes cases of one run. */
export class Laboratory {
  private readonly sound = new Map<string, string>();

  constructor(
    private readonly root: string,
    private readonly host: Host,
    private readonly limits: Limits,
  ) {}

  /** The changed file's content. */
  private static changed(subject: Subject, steps: readonly Mutation[]): Buffer {
    const others = (subject.others ?? []).map(path => readFileSync(path));
    return steps.reduce<Buffer>(
      (content, step) => subject.form.apply(content, step, others),
      readFileSync(join(subject.folder, subject.file)),
    );
  }

  private place(subject: Subject, damage: Damage): { folder: string; args: string[] } {
    // Always the same place: what a file's name changes is no difference.
    const folder = join(this.root, 'case');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(this.root, { recursive: true });
    cpSync(subject.folder, folder, { recursive: true });
    const path = join(folder, subject.file);
    if (typeof damage === 'string') CLASSICS[damage](path);
    else if (damage.length > 0) writeFileSync(path, Laboratory.changed(subject, damage));
    return { folder, args: subject.args(folder) };
  }

  private said(subject: Subject, folder: string, stdout: string): string {
    const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'latin1') : '');
    const files = (subject.outcome ?? []).map(name => read(join(folder, name)));
    return settled(files.length > 0 ? files.join('\n') : stdout, folder);
  }

  private async soundOutcome(subject: Subject): Promise<string> {
    const known = this.sound.get(subject.name);
    if (known !== undefined) return known;
    const { folder, args } = this.place(subject, []);
    const ended = await this.host.call(folder, args);
    if ('broken' in ended || (ended.code !== 0 && !MANY.has(subject.kind)))
      throw new Unsound(
        `${subject.name}: the unchanged input fails: ${'broken' in ended ? `${ended.detail} ${ended.said}` : ended.stderr + (ended.stack ?? '')}`,
      );
    const outcome = this.said(subject, folder, ended.stdout);
    this.sound.set(subject.name, outcome);
    return outcome;
  }

  private async judged(subject: Subject, damage: Damage, call: (folder: string, args: string[]) => Promise<Outcome>): Promise<Trial> {
    // A subject that fails unchanged tests nothing, and is said at once; of a hundred pictures the sound outcome is asked for where it counts.
    if (!MANY.has(subject.kind)) await this.soundOutcome(subject);
    const { folder, args } = this.place(subject, damage);
    const outcome = await call(folder, args);
    const names = 'broken' in outcome ? [] : readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const text = 'broken' in outcome ? '' : this.said(subject, folder, outcome.stdout);
    const mustBeSaid = typeof damage !== 'string' && subject.mustBeSaid?.(damage) === true;
    const counts = !('broken' in outcome) && outcome.code === 0 && (mustBeSaid || hasNaN(text));
    const facts = {
      ...{ outcome: text, mustBeSaid, sound: counts ? await this.soundOutcome(subject) : '' },
      leftovers: names.filter(name => /\.[0-9a-f]{12}\.tmp$/.test(name)),
    };
    return { verdict: judge(outcome, facts), outcome, args };
  }

  /** The folder of the last case, as the call found it but for what the call wrote. */
  get folder(): string {
    return join(this.root, 'case');
  }

  /** In the child that makes many calls. */
  try(subject: Subject, damage: Damage): Promise<Trial> {
    return this.judged(subject, damage, (folder, args) => this.host.call(folder, args));
  }

  /** In a process of its own, as a person would call it. */
  confirm(subject: Subject, damage: Damage): Promise<Trial> {
    return this.judged(subject, damage, async (folder, args) => {
      const ended = await narrows(args, { cwd: folder, limits: this.limits, node: [`--max-old-space-size=${this.limits.megabytes}`] });
      if (ended.broken) return { broken: ended.broken, detail: '', said: ended.stderr };
      if (ended.code === null || ended.code > 2)
        return { broken: 'abort', detail: ended.signal ?? `exit code ${ended.code}`, said: ended.stderr };
      return { id: 0, code: ended.code, stdout: ended.stdout, stderr: ended.stderr };
    });
  }
}

/** Kinds of many seeds, some of which are there to be refused. */
const MANY = new Set(['pictures', 'dicom']);
