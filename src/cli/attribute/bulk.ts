/**
 * @file `attribute --pairs`: audits a list of pairs. Every pair's files carry a key of everything that determines them, and a record written
 * last marks the pair as done; so a run stopped anywhere and started again with the same settings does only what is missing.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Attributor } from '../../attribution/attributor.ts';
import type { Pair } from '../../attribution/pair.ts';
import { createMethod } from '../../attribution/registry.ts';
import { checkpointHash, sha256File } from '../../checkpoints/hash.ts';
import { loadModel } from '../../models/load.ts';
import { makeDirectory, writeError, writeFileAtomic } from '../../node/files.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { Context } from '../command.ts';
import { EXIT } from '../errors.ts';
import { hubOptions } from '../hub-progress.ts';
import { type ListedPair, readPairs } from '../pairs-file.ts';
import { writeAuditPages } from './audit-pages.ts';
import { type AuditRecord, type Failure, makeRecord, readRecord, recordPath } from './audit-record.ts';
import { loadPair } from './input.ts';
import { type Kind, parseKinds, writeTarget } from './output.ts';
import { repeatCommand } from './repeat-command.ts';
import { type AttributeSettings, runOf } from './settings.ts';

/** What a bulk call says beside the method. */
export interface AuditRequest {
  readonly file: string;
  readonly outputs?: readonly string[];
  readonly formats?: readonly string[];
}

/** Pairs that go through the model together. */
const TOGETHER = 8;

/** Failures that are told one by one. */
const TOLD = 20;

/** A pair that is to be attributed, with the key of its files. */
interface Job {
  readonly listed: ListedPair;
  readonly index: number;
  readonly key: string;
  readonly stem: string;
}

/** The sentence about a bad pair. Anything but bad input is ours, and ends the audit. */
function reasonOf(error: unknown): string {
  if (error instanceof NarrowsError) return error.message;
  throw error;
}

/** A few readable letters of a file name. */
const slug = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(-40) || 'pair';

/**
 * Runs the audit.
 * @returns exit code 1 when a pair failed; the others are there all the same
 * @throws NarrowsError for a list, a directory or a model that cannot be used; the signal's reason when interrupted
 */
export async function auditPairs(context: Context, settings: AttributeSettings, request: AuditRequest): Promise<number> {
  const kinds = parseKinds(request.formats ?? ['html', 'png', 'json']);
  if (request.outputs?.length !== 1) throw new NarrowsError('--pairs needs one --output, the directory of the audit.', { kind: 'usage' });
  const [directory] = request.outputs;
  const listed = await readPairs(request.file);
  context.status('Reading the model');
  await using model = await loadModel(settings.model, hubOptions(context));
  // Without a tokenizer or a directory no pair can succeed: say so once.
  model.requireTokenizer();
  await makeDirectory(directory).catch(error => {
    throw writeError(directory, error);
  });
  const method = createMethod(settings.entry, model, settings.values);
  const fixed = JSON.stringify([
    settings.entry.name,
    settings.values,
    settings.run,
    settings.targetImage === undefined ? undefined : await sha256File(settings.targetImage),
    await checkpointHash(model.checkpoint),
    kinds,
    settings.draw,
  ]);

  const records = new Map<number, AuditRecord>();
  const failures: Failure[] = [];
  const jobs: Job[] = [];
  for (const [index, pair] of listed.entries()) {
    context.signal.throwIfAborted();
    context.status(`Looking for what is done: ${index + 1} of ${listed.length}`);
    try {
      const hash = createHash('sha256').update(JSON.stringify([fixed, await sha256File(pair.path), pair.text]));
      const key = hash.digest('hex').slice(0, 16);
      const record = await readRecord(directory, key);
      // The same pair may stand in the list twice, or under another name.
      if (record) records.set(index, { ...record, image: pair.image });
      else jobs.push({ listed: pair, index, key, stem: `pairs/${slug(pair.image)}-${key}` });
    } catch (error) {
      failures.push({ listed: pair, reason: reasonOf(error) });
    }
  }
  context.status();
  if (records.size > 0) context.log.info(`${records.size} of ${listed.length} pairs are already there with the same settings.`);
  let done = records.size + failures.length;
  const bar = context.progress({ label: 'Attributing', total: listed.length, unit: 'pairs', start: done });
  try {
    for (let from = 0; from < jobs.length; from += TOGETHER) {
      const chunk = jobs.slice(from, from + TOGETHER);
      for await (const { job, outcome } of attributeChunk(context, settings, method, chunk, directory, kinds)) {
        if (typeof outcome === 'string') failures.push({ listed: job.listed, reason: outcome });
        else records.set(job.index, outcome);
        bar.update(++done, failures.length ? `${failures.length} failed` : undefined);
      }
    }
    bar.done();
  } catch (error) {
    bar.fail();
    throw error;
  }
  failures.sort((a, b) => a.listed.line - b.listed.line);
  const ordered = [...records.entries()].sort(([a], [b]) => a - b).map(([, record]) => record);
  await writeAuditPages(directory, request.file, ordered, failures);
  await method.release();
  for (const { listed: pair, reason } of failures.slice(0, TOLD)) context.log.warn(`${request.file}, line ${pair.line}: ${reason}`);
  if (failures.length > TOLD) context.log.warn(`${failures.length - TOLD} more pairs failed; ${join(directory, 'summary.csv')} says why.`);
  const summary = { pairs: listed.length, done: records.size, failed: failures.length, directory };
  if (context.json)
    context.print(
      JSON.stringify({ ...summary, failures: failures.map(f => ({ line: f.listed.line, image: f.listed.image, reason: f.reason })) }),
    );
  else {
    context.print(`${records.size} of ${listed.length} pairs attributed${failures.length ? `, ${failures.length} failed` : ''}.`);
    for (const name of ['index.html', 'summary.csv', 'results.jsonl']) context.print(`Wrote ${join(directory, name)}`);
  }
  return failures.length > 0 ? EXIT.failed : EXIT.done;
}

/** A few pairs at once; where that fails, one by one, so that a bad pair takes no other with it. */
async function* attributeChunk(
  context: Context,
  settings: AttributeSettings,
  method: Attributor,
  jobs: readonly Job[],
  directory: string,
  kinds: readonly Kind[],
): AsyncGenerator<{ job: Job; outcome: AuditRecord | string }> {
  const { signal } = context;
  const loaded: { job: Job; pair: Pair }[] = [];
  for (const job of jobs) {
    signal.throwIfAborted();
    try {
      loaded.push({ job, pair: await loadPair(job.listed) });
    } catch (error) {
      yield { job, outcome: reasonOf(error) };
    }
  }
  const run = await runOf(settings);
  const attribute = (pairs: readonly Pair[]) =>
    method.attributeAll(pairs, { ...run, signal, onWarning: message => context.log.warn(message, message) });
  const together = await attribute(loaded.map(l => l.pair)).catch(error => {
    signal.throwIfAborted();
    reasonOf(error);
    context.log.debug(`one of these pairs fails, so each goes alone: ${messageOf(error)}`);
    return undefined;
  });
  for (const [i, { job, pair }] of loaded.entries()) {
    signal.throwIfAborted();
    let result = together?.[i];
    try {
      result ??= (await attribute([pair]))[0];
    } catch (error) {
      signal.throwIfAborted();
      yield { job, outcome: reasonOf(error) };
      continue;
    }
    // A file that cannot be written is no fault of the pair: it ends the audit.
    const files = kinds.map(kind => ({ kind, path: `${job.stem}.${kind}` }));
    const command = repeatCommand(result, settings.model, job.listed.path);
    for (const { kind, path } of files)
      await writeTarget({ kind, path: join(directory, path) }, result, pair.image, { ...settings.draw, command });
    const record = await makeRecord(
      result,
      pair.image,
      job.listed.image,
      files.map(f => f.path),
    );
    await writeFileAtomic(recordPath(directory, job.key), JSON.stringify(record));
    yield { job, outcome: record };
  }
}
