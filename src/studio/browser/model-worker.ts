/** @file The page's side of a worker that holds one model. */
import { type FailureReason, StudioError } from '../protocol.ts';
import type { FromWorker, Job, WorkerEvent } from './messages.ts';

/** Milliseconds that a worker may take to end a job that was cancelled; then it is ended itself. */
const PATIENCE = 3000;

/** A worker with the events of its jobs. It cannot be used after `end`. */
export class ModelWorker {
  private readonly worker: Worker;
  private readonly listeners = new Map<number, (message: FromWorker | { readonly id: number; readonly broken: string }) => void>();
  private last = 0;
  private broken: string | undefined;

  /** @param create makes the worker: `new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })` */
  constructor(create: () => Worker) {
    this.worker = create();
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.listeners.get(data.id)?.(data);
    const broke = (event: Event): void => {
      // A script that cannot be loaded gives an event without a word.
      const said = (event as Partial<ErrorEvent>).message;
      this.end(
        `The worker of this page ended${said ? ` (${said})` : ': its script or ONNX Runtime could not be loaded'}; reload the page.`,
      );
    };
    this.worker.onerror = broke;
    this.worker.onmessageerror = broke;
  }

  /** Whether jobs can still be given. */
  get alive(): boolean {
    return this.broken === undefined;
  }

  /** Ends the worker at once, and with it all that it holds: memory of WebAssembly is given back in no other way. */
  end(reason = 'The model was closed.'): void {
    if (!this.alive) return;
    this.broken = reason;
    this.worker.terminate();
    for (const [id, listener] of this.listeners) listener({ id, broken: reason });
  }

  /**
   * The events of a job, as they come. Leaving the loop cancels it.
   * @throws StudioError `cancelled`, or `internal` where the worker is gone
   */
  async *run(job: Job, signal: AbortSignal): AsyncGenerator<WorkerEvent, void, undefined> {
    if (!this.alive) throw new StudioError('internal', this.broken as string);
    this.last += 1;
    const id = this.last;
    const inbox: WorkerEvent[] = [];
    let ended = false;
    let failed: StudioError | undefined;
    let wake: () => void = () => {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.listeners.set(id, message => {
      if ('event' in message) inbox.push(message.event);
      else {
        ended = true;
        clearTimeout(timer);
        this.listeners.delete(id);
        if ('broken' in message) {
          const reason: FailureReason = signal.aborted ? 'cancelled' : 'internal';
          failed = new StudioError(reason, signal.aborted ? 'Cancelled.' : message.broken);
        }
      }
      wake();
    });
    const abort = (): void => {
      if (ended || !this.alive) return;
      this.worker.postMessage({ id, abort: true });
      timer ??= setTimeout(() => this.end(), PATIENCE);
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      this.worker.postMessage({ id, job });
      if (signal.aborted) abort();
      for (;;) {
        while (inbox.length > 0) yield inbox.shift() as WorkerEvent;
        if (ended) break;
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
      if (failed) throw failed;
    } finally {
      signal.removeEventListener('abort', abort);
      abort();
    }
  }
}
