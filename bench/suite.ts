/** @file What a benchmark is: a name, and a function from a context to rows of repeated measurements. */
import type { Peer } from './peer.ts';

/** What a suite is given. */
export interface Context {
  /** Rounds: each runs every side once. */
  readonly repeat: number;
  /** Rounds in which slow rivals (the official algorithm, half a minute a run) take part; 0 leaves them out. */
  readonly slowRounds: number;
  readonly threads: number;
  /** PyTorch, where `--peers` was given. */
  readonly peer?: Peer;
  /** Directory of the ViT-B/32-shaped checkpoint, made at first use. */
  b32(): Promise<string>;
  /** The same weights with CLIP's tokenizer beside them. */
  b32WithTokenizer(): Promise<string>;
  /** An empty directory that is removed at the end. */
  scratch(): Promise<string>;
  /** One line on stderr. */
  status(message: string): void;
}

/** One thing that was measured, `repeat` times. */
export interface Row {
  readonly name: string;
  readonly unit: 's' | 'GFLOP/s' | 'MB';
  /** One per round, in order. */
  readonly values: readonly number[];
  /** Per rival: its values in the same rounds (slow ones: in the first few). The report divides round by round. */
  readonly rivals?: Readonly<Record<string, readonly number[]>>;
  /** Where the issue sets a bound: least ratio to a rival, or the largest median. */
  readonly aims?: readonly { readonly rival?: string; readonly atLeast?: number; readonly atMost?: number }[];
  /** Derived figures and what a reader must know. */
  readonly notes?: readonly string[];
}

/** What a suite gives back. Without rows it was skipped, and the notes say why. */
export interface SuiteResult {
  readonly rows: readonly Row[];
  readonly notes?: readonly string[];
}

/** A benchmark, one per file in `suites/`. */
export interface Suite {
  readonly name: string;
  readonly about: string;
  run(context: Context): Promise<SuiteResult>;
}

/** A suite that cannot run here. */
export const skipped = (why: string): SuiteResult => ({ rows: [], notes: [`skipped: ${why}`] });
