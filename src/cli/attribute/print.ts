/** @file An attribution in the terminal: words with their values, and the facts around them. */

import type { Attribution } from '../../attribution/result.ts';
import { recordNotes } from '../../inputs/image/picture-warnings.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { answerText } from '../../report/attribution/answer.ts';
import { terminalThumbnail } from '../../report/attribution/bound.ts';
import { terminalSummary, terminalWords } from '../../report/attribution/terminal.ts';
import { VERDICT_TEXT } from '../../report/attribution/verdict.ts';
import { formatDuration, formatNumber } from '../../system/format.ts';
import { median } from '../../tensor/statistics/descriptive.ts';
import type { Context } from '../command.ts';
import type { Target } from './output.ts';

/** What is printed besides the result itself. */
export interface Extras {
  readonly unit?: 'nats' | 'bits';
  readonly written: readonly Target[];
  /** Seconds since the process began. */
  readonly seconds: number;
}

/** Prints a result to stdout, for a person. */
export async function printResult(context: Context, result: Attribution, image: RgbImage, extras: Extras): Promise<void> {
  const { colours } = context;
  const colour = colours.enabled;
  if (colour && result.image) context.print(`${await terminalThumbnail(result, image, Math.min(40, context.columns))}\n`);
  if (result.text) {
    const unit = result.unit === 'nats' ? (extras.unit ?? 'nats') : 'score';
    context.print(`${result.cosine === undefined ? 'Question' : 'Caption'}, ${unit} per word:`);
    context.print(`${terminalWords(result, { colour, unit: extras.unit, columns: context.columns })}\n`);
  }
  if (result.answer) context.print(`Answer ${answerText(result.answer)}`);
  context.print(terminalSummary(result));
  for (const note of recordNotes(result.provenance.image.reading)) context.print(`Picture: ${note}.`);
  for (const part of ['image', 'text'] as const) {
    const map = result[part];
    if (!map) continue;
    const what = part === 'image' ? 'Image map' : result.cosine === undefined ? 'Question map' : 'Caption map';
    const { verdict, note } = map.convergence;
    const style = verdict === 'converged' ? 'green' : verdict === 'no-optimisation' ? 'dim' : 'yellow';
    if (verdict !== 'no-optimisation') context.print(`${what}: ${colours.style(style, VERDICT_TEXT[verdict])}. ${note}`);
    if (map.convergenceDelta !== undefined)
      context.print(
        `${what}: convergence delta ${formatNumber(map.convergenceDelta, 3)} of a score of ${formatNumber(map.score ?? 0, 3)}.`,
      );
    if (map.standardError) context.print(`${what}: standard error ${formatNumber(median(map.standardError), 3)} (median over tokens).`);
    if (map.stability)
      context.print(`${what}: rank stability ${formatNumber(map.stability.rankStability, 3)} over ${map.stability.seeds.length} seeds.`);
  }
  const optimising = Object.entries(result.timings).reduce((sum, [, value]) => sum + value, 0);
  for (const { path } of extras.written) context.print(`Wrote ${path}`);
  context.print(colours.style('dim', `${formatDuration(extras.seconds)} in total, ${formatDuration(optimising)} of them the model's`));
}
