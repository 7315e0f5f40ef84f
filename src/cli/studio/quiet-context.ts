/** @file What a command would hand to the work that the studio does without a terminal. */
import { createColours } from '../../node/colours.ts';
import { createProgress } from '../../node/progress.ts';
import { silent } from '../../system/log.ts';
import type { Context } from '../command.ts';

/** Nothing is printed. @param signal ends the work; never by default */
export const quietContext = (signal: AbortSignal = new AbortController().signal): Context => ({
  ...{ json: false, quiet: true, seed: 0, columns: 80, log: silent, signal },
  colours: createColours({}, {}),
  print: () => {},
  progress: createProgress,
  status: () => {},
});
