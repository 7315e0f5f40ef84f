/** @file Writes the report of a training run. */
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { trainingHtml } from './html.ts';
import { readTrainingRun, type TrainingRun } from './run.ts';

/**
 * Reads a run's folder and writes its page.
 * @param output path of the page; report.html of the folder by default
 * @returns the run, and the path
 * @throws NarrowsError as `readTrainingRun`, or where the page cannot be written
 */
export async function writeTrainingReport(
  directory: string,
  output = join(directory, 'report.html'),
): Promise<{ readonly run: TrainingRun; readonly path: string }> {
  const run = await readTrainingRun(directory);
  await writeFileAtomic(output, trainingHtml(run));
  return { run, path: output };
}
