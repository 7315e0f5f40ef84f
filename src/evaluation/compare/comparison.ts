/** @file A comparison from its settings to its cells: what is missing is computed, in threads; nothing that is there is computed again. */

import type { RankThreads } from '../../jobs/rank-threads.ts';
import { type RunHooks, runPlan } from '../../jobs/run.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { mkdtemp } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import type { SampleSource } from './data/sample.ts';
import { blockPool } from './engine/block-pool.ts';
import { type CompareCell, openCells, RANDOMISED, removeRandomised } from './engine/cells.ts';
import { ExplainAgain } from './engine/explain-again.ts';
import { survey } from './engine/survey.ts';
import { planComparison } from './plan.ts';
import type { CompareSpec } from './settings.ts';
import { SPEC_FILE } from './stored-spec.ts';

/** How a run is watched and ended. */
export interface ComparisonRun {
  /** Worker threads; 0 works in this thread. */
  readonly workers: number;
  readonly signal?: AbortSignal;
  /** Makes the progress bar. */
  readonly progress?: RunHooks<CompareCell>['progress'];
  /** While the cells are looked through. */
  readonly onSurvey?: (done: number, total: number) => void;
  /** Once, with the pairs that are done already. */
  readonly onStart?: (done: number, total: number) => void;
  /** Pairs done, with parts of those in hand. */
  readonly onProgress?: (pairs: number) => void;
  /** Threads of other processes, which share the work. */
  readonly crew?: RankThreads;
  readonly onInfo?: (message: string) => void;
  readonly onWarning?: (message: string) => void;
}

/** Warnings about pictures and captions that are said one by one. */
const NAMED = 10;

/**
 * Computes what is missing. Stopped anywhere, it leaves cells from which the same call goes on.
 * @param model of the calling thread, for keys; workers load their own
 * @throws NarrowsError for data that cannot be read, a directory that cannot be written or in which another process is at work; the signal's
 *   reason when aborted
 */
export async function runComparison(spec: CompareSpec, source: SampleSource, model: DualEncoder, run: ComparisonRun): Promise<void> {
  const { signal, onWarning } = run;
  const total = source.names.length;
  await using lock = await lockOutput(spec.directory);
  if (lock.takenOver) run.onInfo?.(lock.takenOver);
  await removeRandomised(spec.directory);
  await using cells = await openCells(spec.directory, { onWarning });
  await writeFileAtomic(join(spec.directory, SPEC_FILE), `${JSON.stringify(spec, null, 2)}\n`);
  const open = new Set<number>();
  const pairs: string[] = [];
  const warnings = new Set<string>();
  for await (const pair of survey(spec, source, model, signal, cells)) {
    pairs.push(pair.key);
    if (pair.open) open.add(pair.index);
    for (const warning of pair.warnings) warnings.add(warning);
    run.onSurvey?.(pairs.length, total);
  }
  for (const warning of [...warnings].slice(0, NAMED)) onWarning?.(warning);
  if (warnings.size > NAMED) onWarning?.(`${warnings.size - NAMED} more such warnings; the report lists them all.`);
  run.onStart?.(total - open.size, total);
  if (open.size === 0) return;
  const folder = await mkdtemp(join(spec.directory, RANDOMISED));
  const said = new Set<string>();
  try {
    await runPlan(
      planComparison(spec, source.names, pairs),
      cells,
      blockPool(spec, source, cells, { workers: run.workers, folder, crew: run.crew }),
      {
        label: 'Comparing',
        unit: 'pairs',
        signal,
        progress: run.progress,
        // Whole blocks, though a part of them may be there: values do not depend on where an earlier run stopped.
        isOpen: ({ input }) => input.indices.some(i => open.has(i)),
        onProgress: run.onProgress,
        onInfo: run.onInfo,
        onWarning(message) {
          if (!said.has(message)) onWarning?.(message);
          said.add(message);
        },
      },
    );
  } finally {
    await ExplainAgain.clean(folder);
  }
}
