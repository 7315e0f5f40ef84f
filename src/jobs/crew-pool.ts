/** @file Runs tasks in worker threads of each process of a call that several share. */
import type { Pool } from './cell.ts';
import type { RankThreads, ThreadStart } from './rank-threads.ts';
import { threadPool } from './thread-pool.ts';

/**
 * A pool over processes: tasks are handed out by demand, and only this process holds the store.
 * @param start the module of a worker, which calls `serveTasks`, and what it starts with
 * @param message what a worker is sent of a task, made when its turn comes; the input itself by default
 * @param each threads of a process: one where the engine's own threads take its cores
 */
export const crewPool = <I, R>(crew: RankThreads, start: ThreadStart, message?: (input: I) => unknown, each = 1): Pool<I, R> =>
  threadPool({ width: crew.width(each), spawn: index => crew.spawn(index, start), message });
