/** @file Node's time limit for work of its own thread; importing this sets it. */
import { Script } from 'node:vm';
import { LimitError, setTimeLimiter, type TimeLimiter } from '../system/time-limit.ts';

const script = new Script('run()');

/** The script's context knows nothing but the function; the time limit holds for all that it calls, regular expressions included. */
export const timeLimiter: TimeLimiter = <T>(run: () => T, seconds: number): T => {
  try {
    return script.runInNewContext({ run }, { timeout: seconds * 1000 }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new LimitError(`took longer than ${seconds} s`);
    throw error;
  }
};
setTimeLimiter(timeLimiter);
