/**
 * @file `attribute --pairs` on a model that answers: every question of a list is answered and explained. A question's files carry a key of all
 * that determines them; a run stopped anywhere and started again with the same settings does what is missing.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { AnswerAttributor, noAnswers } from '../../attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../attribution/method.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import { groundingOf } from '../../evaluation/answers/grounding.ts';
import { insideBox } from '../../evaluation/compare/data/inside-box.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import { ChatModel as Pretrained } from '../../generation/pretrained.ts';
import { listPairs } from '../../inputs/pairs/list-pairs.ts';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import type { Outcome, Task } from '../../jobs/cell.ts';
import { localPool } from '../../jobs/local-pool.ts';
import { runPlan } from '../../jobs/run.ts';
import { CellStore } from '../../jobs/store.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { answerLogProbability } from '../../report/attribution/answer.ts';
import { type AnswerRow, answersIndexHtml, byGrounding } from '../../report/attribution/answers-index.ts';
import { VERDICT_TEXT, verdictOf } from '../../report/attribution/verdict.ts';
import { formatCsv } from '../../system/csv.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import type { Context } from '../command.ts';
import { EXIT } from '../errors.ts';
import { hubOptions } from '../hub-progress.ts';
import { fileSizes } from './audit-store.ts';
import type { AuditRequest } from './bulk.ts';
import { bulkDirectory } from './bulk-directory.ts';
import { imageHash, loadPair } from './input.ts';
import { type Kind, parseKinds, writeTarget } from './output.ts';
import { type AnswerFlags, noSpans } from './question.ts';
import { repeatCommand } from './repeat-command.ts';
import type { AttributeSettings } from './settings.ts';

/** A question that is done: its row, and the sizes of its files in bytes. */
interface Finished {
  readonly row: AnswerRow;
  readonly files: readonly string[];
  readonly sizes: readonly number[];
}

const schema = z.object({
  row: z.looseObject({ image: z.string(), question: z.string() }),
  files: z.array(z.string()),
  sizes: z.array(z.number()),
}) as unknown as z.ZodType<Finished>;

/** A question with what the list says of its answer. */
interface Asked {
  readonly key: string;
  readonly listed: ListedPair;
  readonly stem: string;
}

/** A text of one of the list's further columns; empty cells are none. */
function column(pair: ListedPair, name: string): string | undefined {
  const found = Object.entries(pair.further).find(([key]) => key.toLowerCase() === name)?.[1];
  const text = found === undefined || found === null ? '' : String(found).trim();
  return text === '' ? undefined : text;
}

const readable = (text: string): string =>
  text
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(-40) || 'question';

/**
 * Explains all questions of a list (columns image and text or question; answer, against and box are read where they are there).
 * @param entry explains answers
 * @returns exit code 1 when a question failed; the others are there all the same
 * @throws NarrowsError for a list, a directory or a model that cannot be used; the signal's reason when interrupted
 */
export async function auditQuestions(
  context: Context,
  settings: AttributeSettings,
  entry: MethodEntry,
  request: AuditRequest,
  asked: AnswerFlags,
): Promise<number> {
  const kinds = parseKinds(request.formats ?? ['html', 'json']);
  const directory = await bulkDirectory(request.file, request.outputs, 'answers');
  if (request.workers)
    throw new NarrowsError('Questions are explained one after the other, in this thread; leave --workers out.', { kind: 'usage' });
  if (!entry.answers) throw new NarrowsError(noAnswers(entry.name), { kind: 'usage' });
  if (request.spans) throw new NarrowsError(noSpans(settings.model), { kind: 'usage' });
  const { text, file } = request;
  const { pairs: listed } = await listPairs(file, { text, except: directory, onWarning: message => context.log.warn(message) });
  context.status('Reading the model');
  await using chat = await Pretrained.open(settings.model, hubOptions(context));
  for (const warning of chat.warnings) context.log.warn(warning);
  await using lock = await lockOutput(directory, 'directory', { folders: ['answers'] });
  if (lock.takenOver) context.log.info(lock.takenOver);
  const store = await CellStore.open(join(directory, 'cells.jsonl'), {
    kind: 'answers',
    version: 1,
    schema,
    onWarning: message => context.log.warn(message),
  });
  await using _ = store;
  const { values, run, draw, pictures } = settings;
  await using attributor = new AnswerAttributor(entry, chat as ChatModel, values);
  // With the defaults filled in: another version's may be others.
  const fixed = [
    version,
    entry.name,
    attributor.options,
    run,
    asked,
    await checkpointHash(chat.model.parts.checkpoint),
    kinds,
    draw,
    pictures,
  ];
  const tasks = new Map<string, Task<Asked>>();
  const keys = new Map<ListedPair, string>();
  const unreadable = new Map<ListedPair, string>();
  for (const pair of listed) {
    context.signal.throwIfAborted();
    try {
      const picture = await imageHash(pair.path);
      const said = [column(pair, 'answer'), column(pair, 'against')];
      const key = createHash('sha256')
        .update(JSON.stringify([fixed, picture, pair.text, said]))
        .digest('hex')
        .slice(0, 16);
      keys.set(pair, key);
      const known = tasks.get(key);
      const input = known?.input ?? { key, listed: pair, stem: `answers/${readable(pair.image)}-${key}` };
      tasks.set(key, { input, keys: [key], units: (known?.units ?? 0) + 1 });
    } catch (error) {
      if (!(error instanceof NarrowsError)) throw error;
      unreadable.set(pair, error.message);
    }
  }
  const lost = new Set<string>();
  for (const key of tasks.keys()) {
    const done = store.result(key);
    if (done && (await fileSizes(directory, done.files)).some((size, i) => size !== done.sizes[i])) lost.add(key);
  }
  if (lost.size)
    context.log.warn(
      `Files of ${lost.size} finished ${lost.size === 1 ? 'question are' : 'questions are'} missing or were changed in ${directory}; they are explained again.`,
    );
  const work = localPool<Asked, Finished>(async (job, { signal, onCell }) => {
    await onCell(job.key, await explain(attributor, settings, asked, { job, directory, kinds, signal }));
  });
  await runPlan([...tasks.values()], store, work, {
    ...{ label: 'Explaining', unit: 'questions', start: unreadable.size, signal: context.signal },
    progress: options => context.progress(options),
    isOpen: ({ keys: [key] }) => !store.has(key) || lost.has(key),
    onInfo: message => context.log.info(message),
    onWarning: message => context.log.warn(message),
  });
  const rows = listed.map((pair): AnswerRow => rowOf(pair, unreadable.get(pair), keys.get(pair), store));
  const written = await writeTables(directory, byGrounding(rows), `${entry.title} on ${chat.name}: ${listed.length} answers`, entry.unit);
  const failed = rows.filter(row => row.failure !== undefined);
  for (const { question, image, failure } of failed.slice(0, 20)) context.log.warn(`${image}, “${question}”: ${failure}`);
  const summary = { questions: rows.length, done: rows.length - failed.length, failed: failed.length, directory };
  if (context.json) context.print(JSON.stringify(summary));
  else {
    context.print(
      `${summary.done} of ${summary.questions} answers explained${failed.length ? `, ${failed.length} failed` : ''}; the least grounded come first.`,
    );
    for (const name of written) context.print(`Wrote ${join(directory, name)}`);
  }
  return failed.length ? EXIT.failed : EXIT.done;
}

function rowOf(pair: ListedPair, unreadable: string | undefined, key: string | undefined, store: CellStore<Finished>): AnswerRow {
  const named = { image: pair.image, question: pair.text };
  const failure = unreadable ?? (key === undefined ? undefined : store.failure(key));
  if (failure !== undefined) return { ...named, failure };
  const { row } = store.result(key!)!;
  const { map, ...rest } = row as AnswerRow & { map?: Parameters<typeof insideBox>[1] extends () => infer M ? M : never };
  const { share, warning } = insideBox(pair, () => map);
  return {
    ...{ ...rest, ...named },
    ...(share === undefined ? {} : { insideBox: share }),
    ...(warning === undefined ? {} : { warnings: [...(rest.warnings ?? []), warning] }),
  };
}

interface Place {
  readonly job: Asked;
  readonly directory: string;
  readonly kinds: readonly Kind[];
  readonly signal?: AbortSignal;
}

async function explain(
  attributor: AnswerAttributor,
  { run, model, draw, pictures }: AttributeSettings,
  flags: AnswerFlags,
  { job: { listed, stem }, directory, kinds, signal }: Place,
): Promise<Outcome<Finished>> {
  const { seed, seeds, modality, maxMemory } = run;
  try {
    const pair = await loadPair(listed, pictures);
    const answer = column(listed, 'answer') ?? flags.answer;
    const against = column(listed, 'against') ?? run.target?.against;
    const { parts, reduction } = flags;
    const result = await attributor.attribute(pair, { seed, seeds, modality, maxMemory, answer, against, parts, reduction, signal });
    const picture = attributor.chat.picture(pair.image);
    const command = repeatCommand(result, model, listed.path);
    const files = kinds.map(kind => `${stem}.${kind}`);
    for (const kind of kinds) await writeTarget({ kind, path: join(directory, `${stem}.${kind}`) }, result, picture, { ...draw, command });
    const figures = result.image && groundingOf(result);
    const row = {
      ...{ image: listed.image, question: listed.text, answer: result.answer.text, own: result.answer.own },
      logProbability: answerLogProbability(result.answer),
      ...(figures ? { imageMass: figures.image } : {}),
      ...(figures && Number.isFinite(figures.imageShare) ? { imageShare: figures.imageShare } : {}),
      ...(verdictOf(result) === 'no-optimisation' ? {} : { verdict: VERDICT_TEXT[verdictOf(result)] }),
      href: files.find(file => file.endsWith('.html')),
      ...(result.warnings ? { warnings: result.warnings } : {}),
      ...(result.image
        ? {
            map: {
              grid: result.image.grid,
              view: result.image.view,
              patches: Array.from(result.image.patches),
              size: { width: picture.width, height: picture.height },
            },
          }
        : {}),
    };
    return { result: { row, files, sizes: await fileSizes(directory, files) } };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof NarrowsError) return { failure: error.message };
    throw error;
  }
}

async function writeTables(directory: string, rows: readonly AnswerRow[], title: string, unit: 'nats' | 'score'): Promise<string[]> {
  const columns: readonly (readonly [name: string, of: Exclude<keyof AnswerRow, 'warnings'>])[] = [
    ['image', 'image'],
    ['question', 'question'],
    ['answer', 'answer'],
    ['own', 'own'],
    ['log_probability', 'logProbability'],
    [unit === 'nats' ? 'image_nats' : 'image_mass', 'imageMass'],
    ['image_share', 'imageShare'],
    ['inside_box', 'insideBox'],
    ['verdict', 'verdict'],
    ['report', 'href'],
  ];
  const lines = rows.map(row => [...columns.map(([, of]) => row[of]), (row.warnings ?? []).join(' '), row.failure ?? '']);
  await writeFileAtomic(join(directory, 'summary.csv'), formatCsv([[...columns.map(([name]) => name), 'warnings', 'failure'], ...lines]));
  await writeFileAtomic(join(directory, 'results.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  await writeFileAtomic(join(directory, 'index.html'), answersIndexHtml(rows, { title, unit }));
  return ['index.html', 'summary.csv', 'results.jsonl'];
}
