/**
 * @file The studio's job `audit`: `narrows attribute --pairs` as a process of its own, so that what is shown goes on while it works. It resumes, keeps
 * failures and locks its folder as it does from a terminal; its records are read as they are written.
 */
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDirectory, writeFileAtomic } from '../../node/files.ts';
import { createRequire } from '../../node/paths.ts';
import { auditName } from '../../studio/audit/name.ts';
import { StudioError, type StudioEvent } from '../../studio/protocol.ts';
import type { AuditRequest } from '../../studio/requests.ts';
import { exactJson } from '../../system/exact-json.ts';
import { kebab } from '../flags.ts';
import { auditsFolder, forgetState, keepState } from './audit-folder.ts';
import type { AuditTable } from './audit-rows.ts';
import { chosenMethod } from './explain.ts';

/** Milliseconds between two looks at what is done. */
const LOOK = 700;

/** How this very program is started again. */
function self(): readonly [string, ...string[]] {
  const main = fileURLToPath(new URL(`../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
  if (main.endsWith('.js')) return [process.execPath, main];
  return [process.execPath, '--import', createRequire(import.meta.url).resolve('tsx'), main];
}

/** A method's options as flags. */
function flagsOf(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    if (typeof value === 'boolean') return [value ? `--${kebab(name)}` : `--no-${kebab(name)}`];
    const list = Array.isArray(value) && value.every(each => typeof each !== 'object');
    const text = list ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);
    // With a sign of equality, so that no value is taken for a flag.
    return [`--${kebab(name)}=${text}`];
  });
}

/** Arguments of the command. */
export function auditArguments({ model, method, modality, seed }: AuditRequest, list: string, output: string): string[] {
  const fixed = ['attribute', `--pairs=${list}`, `--output=${output}`, `--model=${model}`, `--method=${method.name}`];
  return [...fixed, `--modality=${modality}`, `--seed=${seed}`, '--formats=json', '--json', '--quiet', ...flagsOf(method.options)];
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Longest that is kept of what the command says, in characters. */
const KEPT = 8_000_000;

/** Runs the command to its end; the signal interrupts it as Ctrl-C does. */
function runCommand(args: readonly string[], signal: AbortSignal): Promise<Ended> {
  const [program, ...first] = self();
  const child = spawn(program, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  // What a person looks at comes first.
  if (child.pid !== undefined) setPriorityQuietly(child.pid);
  const text = { out: '', err: '' };
  const gather = (name: 'out' | 'err') => (piece: Buffer) => {
    text[name] = (text[name] + piece.toString('utf8')).slice(-KEPT);
  };
  child.stdout.on('data', gather('out'));
  child.stderr.on('data', gather('err'));
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', code => {
      signal.removeEventListener('abort', stop);
      done({ code, ...text });
    });
  });
}

function setPriorityQuietly(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It works without.
  }
}

interface Summary {
  readonly pairs: number;
  readonly done: number;
  readonly failures: readonly { readonly line: number; readonly reason: string }[];
}

/** The command's list: the source's own, or one of the captions that stand beside the pictures. */
async function listOf(table: AuditTable, folder: string): Promise<string> {
  if (table.source.list !== undefined) return table.source.list;
  const path = join(folder, 'list.jsonl');
  const rows = (await table.list()).map(({ pair }) => `${exactJson({ image: pair.path, text: pair.text })}\n`);
  await writeFileAtomic(path, rows.join(''));
  return path;
}

/** Does the job. @throws StudioError for what the command refuses, the signal's reason */
export async function auditJob(
  table: AuditTable,
  request: AuditRequest,
  say: (event: StudioEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { entry } = chosenMethod(request.method, false);
  if (entry.serves === 'question')
    throw new StudioError('usage', `${entry.name} explains questions; an audit is of pictures with captions.`);
  const total = (await table.list()).length;
  const folder = auditsFolder(table.source);
  await makeDirectory(folder);
  const list = await listOf(table, folder);
  const before = table.audit;
  await keepState(table.source, { request, failures: [], finished: false });
  table.show({ request, failures: [], finished: false });
  const began = performance.now();
  let first: number | undefined;
  const look = async (): Promise<void> => {
    const rows = await table.rows();
    const done = rows.filter(row => row.state === 'done').length;
    first ??= done;
    const rate = (done - first) / ((performance.now() - began) / 1000);
    say({ kind: 'progress', phase: 'Auditing', done, total, ...(rate > 0 ? { left: (total - done) / rate } : {}) });
    say({ kind: 'rows', done, failed: rows.filter(row => row.state === 'failed').length, total });
  };
  await look();
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => {});
  }, LOOK);
  let ended: Ended;
  try {
    ended = await runCommand(auditArguments(request, list, join(folder, auditName(request))), signal);
  } finally {
    clearInterval(timer);
    await looking;
  }
  signal.throwIfAborted();
  let summary: Summary;
  try {
    summary = summaryOf(ended);
  } catch (error) {
    // One that could not begin takes no place: the audit before it is shown again.
    if ((await table.rows()).every(row => row.state !== 'done')) {
      await forgetState(table.source, request);
      table.show(before);
    }
    throw error;
  }
  for (const message of warningsOf(ended.err)) say({ kind: 'warning', message });
  const lines = new Map((await table.list()).map(({ pair }) => [pair.line, pair]));
  const failures = summary.failures.flatMap(({ line, reason }) => {
    const pair = lines.get(line);
    return pair ? [{ image: pair.image, text: pair.text, reason }] : [];
  });
  const state = { request, failures, finished: true };
  await keepState(table.source, state);
  table.show(state);
  await look();
}

/** What the command came to. @throws StudioError with its own sentence where it could not work */
function summaryOf({ code, out, err }: Ended): Summary {
  try {
    const summary = JSON.parse(out.trim().split('\n').at(-1) ?? '') as Summary;
    if (Array.isArray(summary.failures)) return summary;
  } catch {
    // Said below.
  }
  const said = err
    .trim()
    .split('\n')
    .filter(line => line.startsWith('narrows: '))
    .at(-1);
  throw new StudioError('input', said?.slice('narrows: '.length) ?? `The audit ended with code ${code} and said nothing.`);
}

/** Most warnings that are passed on; the rows have all of theirs. */
const PASSED_ON = 20;

const warningsOf = (err: string): string[] =>
  err
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .slice(0, PASSED_ON);
