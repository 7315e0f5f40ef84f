/** @file The thread that reads one results.json for the studio, draws its pictures, and gives the page's view of it as the bytes of its JSON. */
import { parentPort, workerData } from '../../node/threads.ts';
import { silent } from '../../system/log.ts';
import type { EvidenceFailure, EvidenceTask } from './evidence-reader.ts';
import { comparisonOf } from './evidence-source.ts';
import { failureOf } from './job-queue.ts';
import { quietContext } from './quiet-context.ts';

const { kind, file } = workerData as EvidenceTask;
try {
  const view =
    kind === 'comparison' ? await comparisonOf(file) : await (await import('./evaluation-source.ts')).robustnessOf(file, quietContext());
  const bytes = new TextEncoder().encode(JSON.stringify(view));
  parentPort!.postMessage(bytes, [bytes.buffer]);
} catch (error) {
  const { reason, message } = failureOf(error, silent);
  parentPort!.postMessage({ reason, message } satisfies EvidenceFailure);
}
