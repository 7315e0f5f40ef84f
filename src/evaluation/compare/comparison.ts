/** @file A comparison from its settings to its cache: what is missing is computed, in threads; nothing that is there is computed again. */

import type { DualEncoder } from '../../models/dual-encoder.ts';
import { mkdtemp } from '../../node/disk.ts';
import { makeDirectory, writeError, writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import type { SampleSource } from './data/sample.ts';
import { blocksOf } from './engine/blocks.ts';
import { ExplainAgain } from './engine/explain-again.ts';
import { runBlocks } from './engine/pool.ts';
import { survey } from './engine/survey.ts';
import type { CompareSpec } from './settings.ts';

/** What a run is told. */
export interface ComparisonRun {
  /** Worker threads; 0 works in this thread. */
  readonly workers: number;
  readonly signal?: AbortSignal;
  /** While the cache is looked through. */
  readonly onSurvey?: (done: number, total: number) => void;
  /** Once, with the pairs that are done already. */
  readonly onStart?: (done: number, total: number) => void;
  /** Pairs done, with parts of those in hand. */
  readonly onProgress?: (pairs: number) => void;
  readonly onWarning?: (message: string) => void;
}

/** Warnings about pictures that are said one by one. */
const NAMED = 10;

/** File with a comparison's settings, in its directory. */
export const SPEC_FILE = 'comparison.json';

/**
 * Computes what the cache lacks. Stopped anywhere, it leaves a cache from which the same call goes on.
 * @param model of the calling thread, for keys; workers load their own
 * @throws NarrowsError for data that cannot be read or a directory that cannot be written, the signal's reason when aborted
 */
export async function runComparison(spec: CompareSpec, source: SampleSource, model: DualEncoder, run: ComparisonRun): Promise<void> {
  const { signal } = run;
  const total = source.names.length;
  await writeFileAtomic(join(spec.directory, SPEC_FILE), `${JSON.stringify(spec, null, 2)}\n`);
  const missing = new Set<number>();
  const warnings = new Set<string>();
  let seen = 0;
  for await (const pair of survey(spec, source, model, signal)) {
    if (!pair.complete || pair.failed.length > 0) missing.add(pair.index);
    for (const warning of pair.warnings) warnings.add(warning);
    run.onSurvey?.(++seen, total);
  }
  for (const warning of [...warnings].slice(0, NAMED)) run.onWarning?.(warning);
  if (warnings.size > NAMED) run.onWarning?.(`${warnings.size - NAMED} more pictures have such warnings.`);
  run.onStart?.(total - missing.size, total);
  // Whole blocks, though a part of them may be there: values do not depend on where an earlier run stopped.
  const blocks = blocksOf(source.names).filter(block => block.some(i => missing.has(i)));
  const there = blocks.flat().filter(i => !missing.has(i)).length;
  if (blocks.length === 0) return;
  const cache = join(spec.directory, 'cache');
  await makeDirectory(cache).catch(error => {
    throw writeError(cache, error);
  });
  const folder = await mkdtemp(join(cache, 'randomised-'));
  try {
    await runBlocks(spec, source, blocks, {
      ...run,
      folder,
      onProgress: pairs => run.onProgress?.(Math.min(total, total - missing.size - there + pairs)),
    });
  } finally {
    await ExplainAgain.clean(folder);
  }
}
