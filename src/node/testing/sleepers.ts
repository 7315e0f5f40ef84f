/** @file Workers that do as they are told, for tests of limits. */
import { LimitedWorker } from '../limits.ts';

/** A worker of `sleeper.ts` that may work for so many seconds. */
export const sleepingWorker = (seconds: number): LimitedWorker => new LimitedWorker('sleeper', import.meta.url, { seconds, megabytes: 64 });
