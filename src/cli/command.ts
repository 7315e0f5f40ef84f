/** @file What a command is to the frame: a module that declares its flags and does its work with what the frame hands it. */
import type { Command } from 'commander';
import type { RankThreads } from '../jobs/rank-threads.ts';
import type { Colours } from '../node/colours.ts';
import type { Ranks } from '../node/mpi/ranks.ts';
import type { Progress, ProgressOptions } from '../node/progress.ts';
import type { Logger } from '../system/log.ts';

/** What every command gets. Data goes to `print`; everything else goes to stderr. */
export interface Context {
  /** Machine-readable output was asked for. */
  readonly json: boolean;
  readonly quiet: boolean;
  readonly seed: number;
  /** Aborted by Ctrl-C; every long operation looks at it. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Colours of stdout. */
  readonly colours: Colours;
  /** The processes that share this call, where it was started as several. */
  readonly ranks?: Ranks;
  /** Threads of the other processes, for a command that shares its work as `threads`. */
  readonly crew?: RankThreads;
  /** Columns of the terminal on stdout. */
  readonly columns: number;
  /** The parsed `--config` file of a command with `rawConfig`, and its name. */
  readonly config?: { readonly values: Readonly<Record<string, unknown>>; readonly file: string };
  /** Writes text and a line end to stdout. */
  print(text: string): void;
  /** Progress with time left, on stderr. */
  progress(options: ProgressOptions): Progress;
  /** Shows what is going on in a terminal's last line; without a text it goes away. */
  status(text?: string): void;
}

/** Option values as parsed, by camelCase name. */
export type Options = Readonly<Record<string, unknown>>;

/** One command. */
export interface CommandModule {
  /** Declares arguments, flags and examples. */
  configure(command: Command): void | Promise<void>;
  /**
   * Does the work. @param given names of the options that came from the command line or the config file
   * @returns the exit code where it is not 0
   */
  run(context: Context, options: Options, args: readonly (string | undefined)[], given: ReadonlySet<string>): Promise<number | undefined>;
  /**
   * How several processes share its work: `ranks` runs it on all (`context.ranks`), `threads` on rank 0, which may start threads on the
   * others (`context.crew`). Of other commands only rank 0 does anything.
   */
  readonly shares?: 'ranks' | 'threads';
  /** The `--config` file is handed over as it is rather than taken as flags. */
  readonly rawConfig?: boolean;
}
