/** @file What the thread that holds the store and the threads that compute say to each other. */
import type { Outcome } from './cell.ts';

/** What the parent says. */
export type ThreadRequest<I> = { readonly task: I } | { readonly stop: true } | { readonly close: true };

/** What a worker says. */
export type ThreadReply<R> =
  | { readonly kind: 'ready' | 'done' | 'stopped' | 'closed' }
  | { readonly kind: 'cell'; readonly key: string; readonly outcome: Outcome<R> }
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'error'; readonly message: string; readonly bad: boolean; readonly stack?: string };
