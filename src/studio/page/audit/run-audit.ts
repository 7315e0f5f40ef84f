/** @file An audit under way: what is done, what failed, how long it still takes; stopping it keeps what is done. */
import { signal } from '@preact/signals';
import type { ProgressEvent } from '../../protocol.ts';
import { announce } from '../state/announce.ts';
import { model, need, sentenceOf } from '../state/studio.ts';
import { refresh, source } from './rows.ts';

/** How far it is. */
export interface AuditProgress {
  readonly phase: string;
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  readonly left?: number;
}

/** The audit that runs; undefined where none does. */
export const auditing = signal<AuditProgress | undefined>(undefined);
/** How the last one ended, in one sentence. */
export const auditSaid = signal<string | undefined>(undefined);
/** Its warnings. */
export const auditWarnings = signal<readonly string[]>([]);
/** The method that it runs. */
export const auditMethod = signal('m2ib');

let controller: AbortController | undefined;

/** Stops; the next run goes on where this one was. */
export const stopAudit = (): void => controller?.abort();

/** Rows are read again at most this often while they come, in milliseconds. */
const READ_AGAIN = 1500;

/** Runs the audit of the chosen source, or goes on with it. */
export async function audit(): Promise<void> {
  const [open, from] = [model.peek(), source.peek()];
  if (!open || from === undefined || auditing.peek()) return;
  controller = new AbortController();
  auditSaid.value = undefined;
  auditWarnings.value = [];
  auditing.value = { phase: 'Beginning', done: 0, failed: 0, total: 0 };
  let read = performance.now();
  let ended = 'The audit is done.';
  const note = (change: Partial<AuditProgress>): void => {
    auditing.value = { ...(auditing.peek() as AuditProgress), ...change };
  };
  try {
    const events = need().audit({ model: open.id, source: from, method: { name: auditMethod.peek() } }, { signal: controller.signal });
    for await (const event of events) {
      if (event.kind === 'progress') note(progressOf(event));
      else if (event.kind === 'rows') {
        note({ done: event.done, failed: event.failed, total: event.total });
        if (performance.now() - read > READ_AGAIN) {
          read = performance.now();
          refresh(true);
        }
      } else if (event.kind === 'warning') auditWarnings.value = [...new Set([...auditWarnings.peek(), event.message])];
      else if (event.kind === 'failure' && event.method === undefined)
        ended = event.reason === 'cancelled' ? 'Stopped; the next run goes on from here.' : event.message;
    }
  } catch (error) {
    ended = sentenceOf(error);
  } finally {
    const failed = auditing.peek()?.failed ?? 0;
    auditSaid.value =
      failed > 0
        ? `${ended} ${failed === 1 ? '1 pair failed; the next run tries it again.' : `${failed} pairs failed; the next run tries them again.`}`
        : ended;
    announce(auditSaid.value);
    auditing.value = undefined;
    refresh(true);
  }
}

const progressOf = ({ phase, done, total, left }: ProgressEvent): Partial<AuditProgress> => ({
  phase,
  left,
  ...(total > 0 ? { done, total } : {}),
});
