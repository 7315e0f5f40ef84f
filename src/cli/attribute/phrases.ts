/** @file `narrows attribute --spans`: a map for each phrase of a caption, as files and as a table. */
import { extname } from 'node:path';
import type { Attributor } from '../../attribution/attributor.ts';
import type { Pair } from '../../attribution/pair.ts';
import { attributePhrases, type PhraseAttribution } from '../../attribution/phrases.ts';
import type { Attribution } from '../../attribution/result.ts';
import { type Phrase, phrasesByCommas, phrasesByText } from '../../inputs/text/phrases.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatNumber } from '../../system/format.ts';
import type { Context } from '../command.ts';
import { formatTable } from '../table.ts';
import { type DrawOptions, type Target, writeTarget } from './output.ts';
import { printResult } from './print.ts';
import { repeatCommand } from './repeat-command.ts';
import { type AttributeSettings, runOf } from './settings.ts';

/** The phrases that `--spans` names. @throws NarrowsError for one that the caption does not hold */
export const spansOf = (caption: string, given: readonly string[]): Phrase[] =>
  given.length === 1 && given[0] === 'commas' ? phrasesByCommas(caption) : phrasesByText(caption, given);

/** A file's path for the phrase of this number. */
const numbered = (path: string, number: number): string => `${path.slice(0, path.length - extname(path).length)}-${number}${extname(path)}`;

/** What is explained, and where it goes. */
export interface PhraseJob {
  readonly method: Pick<Attributor, 'attributeAll'>;
  readonly pair: Pair;
  readonly spans: readonly string[];
  readonly targets: readonly Target[];
  readonly shown?: string;
  readonly onProgress: (done: number, total: number) => void;
}

/** Explains the caption and each phrase, writes the files (pages hold all of them, others are numbered), and tells the values. */
export async function explainPhrases(context: Context, settings: AttributeSettings, job: PhraseJob): Promise<void> {
  const { method, pair, targets, shown } = job;
  const phrases = spansOf(pair.text, job.spans);
  const { MOST_RESULTS } = await import('../../report/attribution/html.ts');
  if (phrases.length >= MOST_RESULTS && targets.some(({ kind }) => kind === 'html'))
    throw new NarrowsError(
      `The caption has ${phrases.length} phrases, and a page holds ${MOST_RESULTS - 1} with it; name some of them by --spans, or write pictures (--output maps.png).`,
      { kind: 'usage' },
    );
  const made = await attributePhrases(method, pair, phrases, {
    ...(await runOf(settings)),
    signal: context.signal,
    onProgress: job.onProgress,
    onWarning: message => context.log.warn(message, message),
  });
  context.signal.throwIfAborted();
  const command = (result: Attribution): string => repeatCommand(result, settings.model, shown);
  const draw = (result: Attribution): DrawOptions => ({ ...settings.draw, command: command(result) });
  const all = [made.whole, ...made.phrases.map(p => p.result)];
  const written: Target[] = [];
  for (const target of targets) {
    context.status(`Drawing ${target.path}`);
    if (target.kind === 'html') {
      const { reportHtml } = await import('../../report/attribution/bound.ts');
      const items = all.map((result, i) => ({ result, image: pair.image, command: command(result), part: partOf(made.phrases, i) }));
      await writeFileAtomic(target.path, await reportHtml(items, { unit: settings.draw.unit, title: 'A report, phrase by phrase' }));
      written.push(target);
      continue;
    }
    for (const [i, result] of all.entries()) {
      const path = i === 0 ? target.path : numbered(target.path, i);
      await writeTarget({ ...target, path }, result, pair.image, draw(result));
      written.push({ ...target, path });
      context.signal.throwIfAborted();
    }
  }
  context.status();
  if (context.json) {
    const { attributionToJson } = await import('../../report/attribution/json.ts');
    const plain = (result: Attribution): unknown => JSON.parse(attributionToJson(result));
    const rows = made.phrases.map(({ result, ...phrase }) => ({ ...phrase, result: plain(result) }));
    context.print(JSON.stringify({ ...(plain(made.whole) as object), phrases: rows }));
    for (const { path } of written) context.log.info(`Wrote ${path}`);
    return;
  }
  await printResult(context, made.whole, pair.image, { unit: settings.draw.unit, written, seconds: process.uptime() });
  context.print(`\n${phraseTable(made.phrases, made.whole, context.columns)}`);
}

/** What a result is: 0 the whole caption, else the phrase of this number, with what its words bring in the whole. */
function partOf(phrases: readonly PhraseAttribution[], i: number): string {
  if (i === 0) return 'The whole caption';
  const { inCaption, result } = phrases[i - 1];
  const brings = inCaption === undefined ? '' : `; its words bring ${formatNumber(inCaption, 3)} ${unitOf(result)} in the whole caption`;
  return `Phrase ${i} of ${phrases.length}, explained as a caption of its own${brings}`;
}

const unitOf = ({ unit }: Attribution): string => (unit === 'nats' ? 'nats' : 'score');

/** Numbers of each phrase: its own cosine, and what its words bring in the whole caption. */
function phraseTable(phrases: readonly PhraseAttribution[], whole: Attribution, columns: number): string {
  const unit = unitOf(whole);
  const rows = phrases.map(({ text, result, inCaption }, i) => [
    String(i + 1),
    formatNumber(result.cosine, 3),
    inCaption === undefined ? '-' : formatNumber(inCaption, 3),
    text,
  ]);
  return formatTable(['#', 'cosine', `${unit} in caption`, 'phrase'], rows, columns);
}
