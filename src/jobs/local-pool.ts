/** @file Runs tasks in this thread, one after the other. */
import type { Pool, Task, TaskHooks, Work } from './cell.ts';

/** A pool of this thread. @param work computes a task */
export function localPool<I, R>(work: Work<I, R>): Pool<I, R> {
  return {
    width: 1,
    async run(tasks: readonly Task<I>[], hooksOf: (task: Task<I>) => TaskHooks<R>, signal?: AbortSignal): Promise<void> {
      for (const task of tasks) {
        // Lets messages (a wish to stop) come in between two pieces of work.
        await new Promise(resolve => setTimeout(resolve));
        signal?.throwIfAborted();
        const hooks = hooksOf(task);
        await work(task.input, hooks);
        hooks.onProgress(1);
      }
    },
  };
}
