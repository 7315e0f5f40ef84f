/**
 * @file `attribute --pairs`: audits a list of pairs. Every pair's files carry a key of everything that determines them, and a record in
 * `cells.jsonl`, written last, says that they are there; a run stopped anywhere and started again with the same settings does what is missing.
 */

import { join } from 'node:path';
import { methodOptions } from '../../attribution/method.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import { insideBox } from '../../evaluation/compare/data/inside-box.ts';
import { folderList } from '../../inputs/pairs/folder.ts';
import { isFolder, listPairs } from '../../inputs/pairs/list-pairs.ts';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import { runPlan } from '../../jobs/run.ts';
import { loadModel } from '../../models/pretrained.ts';
import { ownCores } from '../../node/machine.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import type { Context } from '../command.ts';
import { EXIT } from '../errors.ts';
import { hubOptions } from '../hub-progress.ts';
import { furtherNames, renamed } from './audit-columns.ts';
import { writeAuditPages } from './audit-pages.ts';
import { type HashedPair, pairKey, planAudit } from './audit-plan.ts';
import { auditPool, defaultWorkers } from './audit-pool.ts';
import { type AuditRecord, placedMap } from './audit-record.ts';
import { filesAreThere, openAuditStore } from './audit-store.ts';
import { gatherWarnings, linesText } from './audit-warnings.ts';
import { bulkDirectory } from './bulk-directory.ts';
import { imageHash } from './input.ts';
import { parseKinds } from './output.ts';
import { phraseRows } from './phrase-rows.ts';
import type { AttributeSettings } from './settings.ts';

/** What a bulk call says besides the method. */
export interface AuditRequest {
  /** A list, or a folder of pictures. */
  readonly file: string;
  /** Of a folder: the caption of all its pictures. */
  readonly text?: string;
  /** As of `--spans`. */
  readonly spans?: readonly string[];
  readonly outputs?: readonly string[];
  readonly formats?: readonly string[];
  /** Threads; 0 works in this one. By default as many as help and as memory allows. */
  readonly workers?: number;
  readonly plugins?: readonly string[];
}

/** The rows that are explained, those that cannot be, and the list that they come from. @throws NarrowsError as `listPairs`, or where no row is left */
async function listedRows(context: Context, { file: given, text, spans }: AuditRequest, directory: string) {
  const onWarning = (message: string): void => context.log.warn(message);
  // A folder with phrases and no caption: the phrases are the findings of every picture.
  const alone = text === undefined && spans && spans[0] !== 'commas' && (await isFolder(given)) && !(await folderList(given));
  const options = { except: directory, findings: true, onWarning };
  const { pairs, file } = await listPairs(given, { ...options, text: alone ? spans.join(', ') : text });
  const { rows, failures, empty } = phraseRows(
    alone ? pairs.map(pair => ({ ...pair, findings: spans })) : pairs,
    alone ? undefined : spans,
  );
  if (empty.length > 0) onWarning(`${file}, ${linesText(file, empty)}: there are no findings, so there is no map.`);
  if (rows.length === 0) throw new NarrowsError(`${file} lists no findings.`);
  return { listed: rows, lacking: failures, file };
}

/** Failures that are listed one by one. */
const LISTED = 20;

/**
 * Runs the audit.
 * @returns exit code 1 when a pair failed; the others are there all the same
 * @throws NarrowsError for a list, a directory or a model that cannot be used; the signal's reason when interrupted
 */
export async function auditPairs(context: Context, settings: AttributeSettings, request: AuditRequest): Promise<number> {
  const kinds = parseKinds(request.formats ?? ['html', 'json']);
  const directory = await bulkDirectory(request.file, request.outputs, 'audit');
  const { listed, lacking, file } = await listedRows(context, request, directory);
  context.status('Reading the model');
  await using model = await loadModel(settings.model, hubOptions(context));
  // Without a tokenizer or a directory no pair can succeed: say so once.
  model.requireTokenizer();
  await using lock = await lockOutput(directory, 'directory', { folders: ['pairs'] });
  if (lock.takenOver) context.log.info(lock.takenOver);
  await using store = await openAuditStore(directory, message => context.log.warn(message));
  const fixed = JSON.stringify([
    version,
    settings.entry.name,
    // With the defaults filled in: another version's may be others.
    methodOptions(settings.entry, settings.values),
    settings.run,
    settings.targetImage === undefined ? undefined : await imageHash(settings.targetImage),
    await checkpointHash(model.checkpoint),
    kinds,
    settings.draw,
    settings.pictures,
  ]);

  const unreadable = new Map<ListedPair, string>(lacking);
  const pairs: HashedPair[] = [];
  const hashes = new Map<string, string>();
  for (const [index, pair] of listed.entries()) {
    if (lacking.has(pair)) continue;
    context.signal.throwIfAborted();
    context.status(`Reading the pictures: ${index + 1} of ${listed.length}`);
    try {
      const sha256 = hashes.get(pair.path) ?? (await imageHash(pair.path));
      hashes.set(pair.path, sha256);
      pairs.push({ listed: pair, sha256 });
    } catch (error) {
      if (!(error instanceof NarrowsError)) throw error;
      unreadable.set(pair, error.message);
    }
  }
  const plan = planAudit(fixed, pairs);
  const lost = new Set<string>();
  for (const [i, { keys }] of plan.entries()) {
    context.signal.throwIfAborted();
    context.status(`Looking for finished pairs: ${i + 1} of ${plan.length}`);
    const finished = store.result(keys[0]);
    if (finished && !(await filesAreThere(directory, finished))) lost.add(keys[0]);
  }
  context.status();
  const isOpen = ({ keys }: { readonly keys: readonly string[] }): boolean => !store.has(keys[0]) || lost.has(keys[0]);
  const before = plan.reduce((sum, task) => sum + (isOpen(task) ? 0 : task.units!), 0);
  if (before > 0) context.log.info(`${before} of ${listed.length} pairs are already finished with the same settings.`);
  if (lost.size > 0)
    context.log.warn(
      `Files of ${lost.size} finished ${lost.size === 1 ? 'pair are' : 'pairs are'} missing or were changed in ${directory}; ${lost.size === 1 ? 'it is' : 'they are'} attributed again.`,
    );
  let failed = unreadable.size;
  const open = plan.filter(isOpen).length;
  const workers = request.workers ?? defaultWorkers(open, model, settings.run.maxMemory, { cores: ownCores() });
  const pool = auditPool({ settings, plugins: request.plugins ?? [], directory, kinds }, model, workers, context.crew);
  if (open > 0) context.log.debug(pool.width > 1 ? `${pool.width} worker threads` : 'no worker threads');
  await runPlan(plan, store, pool, {
    label: 'Attributing',
    unit: 'pairs',
    start: unreadable.size,
    signal: context.signal,
    progress: options => context.progress(options),
    isOpen,
    note: () => (failed ? `${failed} failed` : undefined),
    onCell: ({ outcome }) => {
      if ('failure' in outcome) failed++;
    },
    onInfo: message => context.log.info(message),
    onWarning: message => context.log.warn(message, message),
  });
  const keys = new Map(pairs.map(pair => [pair.listed, pairKey(fixed, pair)]));
  const reasonOf = (pair: ListedPair): string | undefined => unreadable.get(pair) ?? store.failure(keys.get(pair)!);
  const names = furtherNames(listed);
  for (const [name, called] of names)
    if (name !== called)
      context.log.warn(`The tables have a column "${name}" of the audit; the one of ${file} is called "${called}" in them.`);
  const failures = listed.flatMap(pair => {
    const reason = reasonOf(pair);
    return reason === undefined ? [] : [{ listed: renamed(pair, names), reason }];
  });
  const done = listed.filter(pair => reasonOf(pair) === undefined);
  const recordOf = (pair: ListedPair): AuditRecord => store.result(keys.get(pair)!)!.record;
  const boxes = done.map(pair => insideBox(pair, () => placedMap(recordOf(pair))));
  const read = (i: number): AuditRecord => {
    const record = recordOf(done[i]);
    const { share, warning } = boxes[i];
    return {
      ...record,
      image: done[i].image,
      further: renamed(done[i], names).further,
      ...(share === undefined ? {} : { insideBox: share }),
      ...(warning === undefined ? {} : { warnings: [...(record.warnings ?? []), warning] }),
    };
  };
  const records = { count: done.length, further: [...names.values()], read };
  const written = await writeAuditPages(directory, file, records, failures, {
    unit: settings.draw.unit,
    onDraw: (drawn, total) => {
      context.signal.throwIfAborted();
      context.status(`Drawing the index: ${drawn} of ${total} pairs`);
    },
  });
  context.status();
  const reasons = gatherWarnings(failures.map(({ listed: { line }, reason }) => ({ line, warnings: [reason] })));
  for (const { message, lines } of reasons.slice(0, LISTED)) context.log.warn(`${file}, ${linesText(file, lines)}: ${message}`);
  if (reasons.length > LISTED)
    context.log.warn(`${reasons.length - LISTED} more reasons of failures; ${join(directory, 'summary.csv')} has them.`);
  const warnings = gatherWarnings(done.map((pair, i) => ({ line: pair.line, warnings: read(i).warnings })));
  for (const { message, lines } of warnings.slice(0, LISTED)) context.log.warn(`${file}, ${linesText(file, lines)}: ${message}`);
  if (warnings.length > LISTED) context.log.warn(`${warnings.length - LISTED} more warnings; ${join(directory, 'summary.csv')} has them.`);
  const summary = { pairs: listed.length, done: done.length, failed: failures.length, directory };
  if (context.json)
    context.print(
      JSON.stringify({
        ...summary,
        failures: failures.map(f => ({ line: f.listed.line, image: f.listed.image, reason: f.reason })),
        ...(warnings.length ? { warnings } : {}),
      }),
    );
  else {
    context.print(`${done.length} of ${listed.length} pairs attributed${failures.length ? `, ${failures.length} failed` : ''}.`);
    for (const name of written) context.print(`Wrote ${join(directory, name)}`);
  }
  return failures.length > 0 ? EXIT.failed : EXIT.done;
}
