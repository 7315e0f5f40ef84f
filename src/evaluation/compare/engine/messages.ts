/** @file What a comparison's threads say to each other. */
import type { CompareSpec } from '../settings.ts';

/** What a worker starts with. */
export interface WorkerStart {
  readonly spec: CompareSpec;
  /** Where randomised models may be written. */
  readonly folder: string;
}

/** What the parent says. */
export type WorkerRequest = { readonly block: readonly number[] } | { readonly stop: true } | { readonly close: true };

/** What a worker says. */
export type WorkerReply =
  | { readonly kind: 'ready' | 'done' | 'stopped' | 'closed' }
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'error'; readonly message: string; readonly bad: boolean; readonly stack?: string };
