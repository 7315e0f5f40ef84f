/** @file What a page that runs wholly in the browser is given. */
import type { ExampleInfo } from '../facts.ts';
import type { BrowserModel, WorkerSettings } from './messages.ts';

/** An example with the address of its picture's file. */
export interface BrowserExample extends ExampleInfo {
  readonly address: string;
}

/** Settings of `browserBackend`. */
export interface BrowserSettings extends WorkerSettings {
  /** Makes the worker of a model: `new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })`. */
  readonly createWorker: () => Worker;
  /** Models that the site brings; the first one that compares, and the first that answers, are what a page begins with. */
  readonly models: readonly BrowserModel[];
  readonly examples?: readonly BrowserExample[];
  /** Whether models of the hub may be opened: the page's policy must allow to ask there. */
  readonly hub?: boolean;
  /** Whether models at addresses may be: at any, or at those of these origins, where the page's policy allows to ask no others. */
  readonly addresses?: boolean | readonly string[];
  /** Bytes that open models may take together; the one that was not used for longest is closed. Default 1.5 GB. */
  readonly memory?: number;
}
