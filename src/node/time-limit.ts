/** @file Node's time limit for work of its own thread; importing this sets it. */
import { Script } from 'node:vm';
import { LimitError, setTimeLimiter, type TimeLimiter } from '../system/time-limit.ts';
import { threadId, workedSeconds } from './thread-work.ts';

const script = new Script('run()');
/** How often work is begun anew that the machine gave no processor: the script's limit is one of the clock. */
const TRIES = 12;

/** The script's context knows nothing but the function; the time limit holds for all that it calls, regular expressions included. */
export const timeLimiter: TimeLimiter = <T>(run: () => T, seconds: number): T => {
  const thread = threadId();
  for (let attempt = 1; ; attempt++) {
    const before = workedSeconds(thread);
    try {
      return script.runInNewContext({ run }, { timeout: seconds * 1000 }) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      if (workedSeconds(thread) - before >= 0.9 * seconds || attempt === TRIES) throw new LimitError(`took longer than ${seconds} s`);
    }
  }
};
setTimeLimiter(timeLimiter);
