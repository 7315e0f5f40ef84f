/**
 * @file Reads comparisons and evaluations in a thread of its own: a file of a hundred megabytes takes seconds to read and to draw, and the
 * server goes on answering meanwhile. One is read at a time; a page that has gone ends it.
 */
import { Turns } from '../../generation/endpoint/turns.ts';
import { spawnWorker } from '../../node/threads.ts';
import { type FailureReason, StudioError } from '../../studio/protocol.ts';
import { messageOf } from '../../system/errors.ts';
import { type ResultsFile, resultsFile } from './evidence-source.ts';
import type { Source } from './sources.ts';

/** Milliseconds that reading may take. */
const PATIENCE = 5 * 60_000;
/** Megabytes of memory that the thread may take. */
const MEMORY = 2048;

/** What the thread is given. */
export interface EvidenceTask {
  readonly kind: 'comparison' | 'evaluation';
  readonly file: ResultsFile;
}

/** What it says where it could not. */
export interface EvidenceFailure {
  readonly reason: FailureReason;
  readonly message: string;
}

const turns = new Turns(1);

/**
 * The view as the bytes of its JSON: they go to the page as they are.
 * @throws StudioError for what is none, too large or takes too long, NarrowsError for a file that is not there, the signal's reason
 */
export async function evidenceJson(
  kind: EvidenceTask['kind'],
  source: Source,
  { signal, patience = PATIENCE }: { readonly signal?: AbortSignal; readonly patience?: number } = {},
): Promise<Uint8Array> {
  const file = await resultsFile(source, kind);
  return turns.take(() => {
    signal?.throwIfAborted();
    return readInThread({ kind, file }, patience, signal);
  });
}

function readInThread(task: EvidenceTask, patience: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { name } = task.file;
  const worker = spawnWorker('evidence-main', import.meta.url, {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY },
  });
  return new Promise<Uint8Array>((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      settle();
      void worker.terminate();
    };
    const fail = (reason: FailureReason, message: string): void => end(() => reject(new StudioError(reason, message)));
    const stop = (): void => end(() => reject(signal!.reason));
    const timer = setTimeout(
      () =>
        fail('timeout', `Reading ${name} took longer than ${Math.round(patience / 1000)} s and was ended; open its report.html instead.`),
      patience,
    );
    signal?.addEventListener('abort', stop, { once: true });
    worker.on('message', (said: Uint8Array | EvidenceFailure) => {
      if (said instanceof Uint8Array) end(() => resolve(said));
      else fail(said.reason, said.message);
    });
    worker.on('error', error => {
      const full = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
      fail('input', full ? `${name} needs more memory than the studio gives to results; open its report.html instead.` : messageOf(error));
    });
    worker.on('exit', () => fail('internal', `Reading ${name} ended before it was done; try again.`));
  });
}
