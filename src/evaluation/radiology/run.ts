/** @file `narrows audit` as long work: a cell per finding, resumable. */
import { findMethod } from '../../attribution/registry.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { Pool } from '../../jobs/cell.ts';
import { crewPool } from '../../jobs/crew-pool.ts';
import { localPool } from '../../jobs/local-pool.ts';
import type { RankThreads } from '../../jobs/rank-threads.ts';
import { type RunHooks, runPlan } from '../../jobs/run.ts';
import { CellStore } from '../../jobs/store.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { mkdtemp, rm } from '../../node/disk.ts';
import { fileStamps } from '../../node/file-stamps.ts';
import { ownCores } from '../../node/machine.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { randomisedCheckpoint } from '../compare/engine/randomise.ts';
import { keyOf } from '../compare/settings.ts';
import type { AuditItem } from './items.ts';
import { TEMPLATES } from './phrases.ts';
import { type AuditRecord, auditRecordSchema } from './record.ts';
import { type AuditPiece, type AuditPlace, type AuditStart, openAuditWork } from './work.ts';

/** File with the finished findings, in an audit's directory. */
const CELLS = 'cells.jsonl';

/** Settings of an audit, besides its items. */
export interface AuditRun extends Pick<RunHooks<AuditRecord>, 'signal' | 'progress' | 'onInfo' | 'onWarning'> {
  readonly directory: string;
  readonly method: string;
  readonly seed: number;
  readonly pictures?: ImageReadOptions;
  /** Threads of other processes that share the work, and the name by which each opens the model. Records are the same. */
  readonly crew?: { readonly threads: RankThreads; readonly model: string };
}

/** What an audit found. */
export interface AuditOutcome {
  readonly records: readonly AuditRecord[];
  /** Sentences on findings that could not be measured. */
  readonly failures: readonly string[];
}

/**
 * Measures what is not yet measured. @throws NarrowsError for a method without maps of pictures, or an output in use; the signal's reason when aborted
 */
export async function runAudit(model: DualEncoder, items: readonly AuditItem[], run: AuditRun): Promise<AuditOutcome> {
  const { directory, method: name, seed, pictures, signal } = run;
  const entry = findMethod(name);
  if (!entry || entry.serves === 'question' || !entry.modalities.includes('image'))
    throw new NarrowsError(`The method "${name}" gives no maps of pictures; narrows methods lists those that do.`, { kind: 'usage' });
  await using lock = await lockOutput(directory);
  if (lock.takenOver) run.onInfo?.(lock.takenOver);
  await using store = await CellStore.open<AuditRecord>(join(directory, CELLS), {
    kind: 'audit',
    version: 1,
    schema: auditRecordSchema,
    onWarning: run.onWarning,
  });
  const hash = await model.sha256();
  const { window, frame, autoOrient } = pictures ?? {};
  const stamps = await fileStamps(items.map(item => item.path));
  const keys = items.map(({ truth, path: _, ...item }, i) =>
    keyOf(
      'audit',
      hash,
      name,
      seed,
      TEMPLATES,
      item,
      truth.boxes,
      truth.mask ?? null,
      stamps[i],
      window ?? null,
      frame ?? null,
      autoOrient ?? null,
    ),
  );
  const plan = items.map((item, i) => ({ input: { item, key: keys[i] }, keys: [keys[i]] }));
  if (!plan.every(({ keys: [key] }) => store.has(key))) {
    const folder = await mkdtemp(join(directory, 'randomised-'));
    try {
      const drawn = await randomisedCheckpoint(model, 'image', model.image.layers, seed, folder);
      // Plain data only: it goes to other processes.
      const { keepTags } = pictures ?? {};
      const place: AuditPlace = { method: name, seed, pictures: { autoOrient, window, frame, keepTags }, randomised: drawn };
      await runPlan(plan, store, auditPool(model, place, run.crew), {
        label: 'Auditing',
        unit: 'findings',
        signal,
        progress: run.progress,
        onInfo: run.onInfo,
        onWarning: run.onWarning,
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const records: AuditRecord[] = [];
  const failures: string[] = [];
  for (const [i, key] of keys.entries()) {
    const record = store.result(key);
    if (record) records.push(record);
    else failures.push(`${items[i].id}: ${store.failure(key) ?? 'not measured'}`);
  }
  return { records, failures };
}

/** Who measures: this thread, or a thread of each process. */
function auditPool(model: DualEncoder, place: AuditPlace, crew: AuditRun['crew']): Pool<AuditPiece, AuditRecord> {
  if (crew) {
    const workerData: AuditStart = { model: crew.model, place };
    // The engine has one thread here.
    return crewPool(crew.threads, { module: 'worker', base: import.meta.url, workerData }, undefined, ownCores());
  }
  return {
    width: 1,
    async run(tasks, hooksOf, signal) {
      const { work, release } = await openAuditWork(model, place);
      try {
        await localPool(work).run(tasks, hooksOf, signal);
      } finally {
        await release();
      }
    },
  };
}
