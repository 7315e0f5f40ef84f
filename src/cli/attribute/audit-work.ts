/** @file The work on one pair of an audit: its map, its files, its record. */
import { join } from 'node:path';
import type { AttributeRun, Attributor } from '../../attribution/attributor.ts';
import type { Outcome, Work } from '../../jobs/cell.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { AuditJob } from './audit-plan.ts';
import { makeRecord } from './audit-record.ts';
import { type FinishedPair, fileSizes } from './audit-store.ts';
import { loadPair } from './input.ts';
import { type Kind, writeTarget } from './output.ts';
import { repeatCommand } from './repeat-command.ts';
import type { AttributeSettings } from './settings.ts';

/** What all pairs of an audit share. */
export interface Audit {
  readonly settings: AttributeSettings;
  readonly run: AttributeRun;
  readonly method: Attributor;
  readonly directory: string;
  readonly kinds: readonly Kind[];
}

/**
 * Attributes a pair by itself, not in a batch: sums over a batch are rounded by what else is in it, so a map would depend on the
 * pairs around it, and on where an earlier run stopped.
 */
export const auditWork = (audit: Audit): Work<AuditJob, FinishedPair> => {
  return async (job, { signal, onCell }) => {
    await onCell(job.key, await attribute(audit, job, signal));
  };
};

async function attribute(
  { settings, run, method, directory, kinds }: Audit,
  { listed, stem }: AuditJob,
  signal: AbortSignal | undefined,
): Promise<Outcome<FinishedPair>> {
  let [pair, result]: [Awaited<ReturnType<typeof loadPair>>?, Awaited<ReturnType<Attributor['attribute']>>?] = [];
  try {
    pair = await loadPair(listed, settings.pictures);
    // Warnings stand in the results, which the audit's end goes through.
    result = await method.attribute(pair, { ...run, signal });
  } catch (error) {
    signal?.throwIfAborted();
    // Anything but bad input is ours, and ends the audit.
    if (error instanceof NarrowsError) return { failure: error.message };
    throw error;
  }
  // A file that cannot be written is no fault of the pair: it ends the audit.
  const command = repeatCommand(result, settings.model, listed.path);
  for (const kind of kinds)
    await writeTarget({ kind, path: join(directory, `${stem}.${kind}`) }, result, pair.image, { ...settings.draw, command });
  const files = kinds.map(kind => `${stem}.${kind}`);
  return { result: { record: await makeRecord(result, pair.image, listed.image, files), sizes: await fileSizes(directory, files) } };
}
