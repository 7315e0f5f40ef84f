/** @file What the parent and the child that runs calls say to each other. */

/** A call to make. */
export interface Call {
  readonly id: number;
  /** Where it runs. */
  readonly folder: string;
  readonly args: readonly string[];
}

/** How it ended. */
export interface Ended {
  readonly id: number;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The stack of an error that is no sentence. */
  readonly stack?: string;
}
