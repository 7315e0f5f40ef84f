/** @file One shift over a folder of pictures or a file of questions, into a folder. */
import { join, resolve } from 'node:path';
import { shiftRemarks } from '../../shifts/compat.ts';
import type { ImageShift, ImageShiftOptions, Shift, TextShift, TextShiftOptions } from '../../shifts/shift.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context } from '../command.ts';
import type { ShiftFlags } from './flags.ts';
import { checkApart, namesHash, picturesOf } from './folder.ts';
import { openShiftOutput, SETTINGS_FILE } from './output.ts';
import { type PictureCounts, type PictureTask, shiftPictures } from './pictures.ts';
import { planPictures, questionsIn, readRows, shiftQuestions, writeRows } from './questions.ts';

/** What is applied to what. */
export interface ManyRequest<S extends Shift, O> {
  readonly shift: S;
  readonly input: string;
  readonly output: string;
  readonly severity: number;
  readonly flags: ShiftFlags;
  /** What the shift itself is given. */
  readonly options: O;
  /** Of what is given by files (textures, translations): hashes. */
  readonly given: Readonly<Record<string, unknown>>;
}

const facts = (context: Context, { shift, severity, given }: ManyRequest<Shift, unknown>) => ({
  shift: shift.name,
  severity,
  seed: context.seed,
  ...given,
});

/** Says what became of the pictures. @returns the exit code where some failed */
function report(
  context: Context,
  request: ManyRequest<ImageShift, ImageShiftOptions>,
  counts: PictureCounts,
  questions?: string,
): number | undefined {
  const { written, kept, failed } = counts;
  const remarks = shiftRemarks(request.shift, request.options);
  if (context.json)
    context.print(
      JSON.stringify({
        ...facts(context, request),
        ...{ output: request.output, written, kept, failed },
        ...(questions ? { questions } : {}),
        ...(remarks.length ? { remarks } : {}),
      }),
    );
  else context.print(questions ?? request.output);
  if (failed.length === 0) return undefined;
  context.log.warn(`${failed.length} of ${written + kept + failed.length} pictures failed; run the same again once they are mended.`);
  return 1;
}

async function toOutput(
  context: Context,
  request: ManyRequest<ImageShift, ImageShiftOptions>,
  tasks: readonly PictureTask[],
  more: object,
  work: () => Promise<void>,
) {
  const { shift, severity, output, flags, options } = request;
  const { format, pictures, referenceSize, compat } = flags;
  const reading = { autoOrient: pictures.autoOrient || undefined, window: pictures.window, frame: pictures.frame };
  const remarks = shiftRemarks(shift, options);
  for (const remark of remarks) context.log.warn(remark);
  const names = { pictures: tasks.length, names: namesHash(tasks.map(({ target }) => target)) };
  const settings = { ...facts(context, request), ...reading, referenceSize, compat, format, ...names, ...more };
  const held = await openShiftOutput(context, output, settings, remarks);
  try {
    const counts = await shiftPictures(context, output, tasks, {
      ...options,
      name: shift.name,
      severity,
      seed: context.seed,
      format,
      pictures,
      begin: held.begin,
    });
    await held.begin();
    await work();
    return counts;
  } finally {
    await held.release();
  }
}

/** Every picture of a folder. @returns the exit code where some failed */
export async function shiftFolder(context: Context, request: ManyRequest<ImageShift, ImageShiftOptions>): Promise<number | undefined> {
  await checkApart(request.input, request.output);
  const tasks = await picturesOf(context, request.input, request.flags.format);
  return report(context, request, await toOutput(context, request, tasks, {}, async () => {}));
}

/** @throws NarrowsError (usage) where the questions would be written over themselves, or over the settings */
function checkTarget(input: string, output: string): string {
  const target = questionsIn(output, input);
  if (resolve(target) === resolve(input))
    throw new NarrowsError(`--output ${output} is the folder of ${input}, which would be overwritten; choose another one.`, {
      kind: 'usage',
    });
  if (resolve(target) === resolve(join(output, SETTINGS_FILE)))
    throw new NarrowsError(`${input} has the name of the file of settings; call it otherwise.`);
  return target;
}

/** The pictures of a file of questions, and the file with the new paths. @returns the exit code where some failed */
export async function shiftPicturesOf(context: Context, request: ManyRequest<ImageShift, ImageShiftOptions>): Promise<number | undefined> {
  const { input, output, flags } = request;
  const target = checkTarget(input, output);
  const { rows, list, sha256 } = await readRows(input);
  const plan = await planPictures(input, rows, flags.imageFolder, flags.format);
  const counts = await toOutput(context, request, plan.tasks, { questions: sha256 }, () => writeRows(target, plan.rows, list));
  return report(context, request, counts, target);
}

/** The texts of a file of questions. */
export async function shiftTextsOf(context: Context, request: ManyRequest<TextShift, TextShiftOptions>): Promise<undefined> {
  const { shift, severity, input, output, flags, options } = request;
  const target = checkTarget(input, output);
  const { rows, list, sha256 } = await readRows(input);
  const { protect, nlpaug, language, suffix } = flags;
  const settings = { ...facts(context, request), protect, nlpaug, language, suffix, questions: sha256, rows: rows.length };
  const held = await openShiftOutput(context, output, settings, []);
  try {
    const shifted = await shiftQuestions(context, rows, { name: shift.name, severity }, { ...options, seed: context.seed });
    await held.begin();
    await writeRows(target, shifted.rows, list);
    const { changed } = shifted;
    if (changed < rows.length)
      context.log.info(`${changed} of ${rows.length} rows changed; a draw that changes nothing is not made again.`);
    if (context.json) context.print(JSON.stringify({ ...facts(context, request), output, questions: target, rows: rows.length, changed }));
    else context.print(target);
  } finally {
    await held.release();
  }
  return undefined;
}
