import { describe, expect, it } from 'vitest';
import { LimitError } from '../system/time-limit.ts';
import { sleepingWorker } from './testing/sleepers.ts';
import { threadId, threadLives, workedSeconds } from './thread-work.ts';
import { timeLimiter } from './time-limit.ts';

const clock = new Int32Array(new SharedArrayBuffer(4));

describe.runIf(process.platform === 'linux')('a limit of work, on a machine that stands still', () => {
  it('waits for a worker that gets no turn for many times its limit', () => {
    expect(sleepingWorker(0.1).call({ sleep: 2 })).toBe('slept 2');
  });

  it('begins work anew that the clock cut off before it had worked', () => {
    let tries = 0;
    const run = (): number => {
      if (++tries < 3) Atomics.wait(clock, 0, 0, 5000);
      return tries;
    };
    expect(timeLimiter(run, 0.1)).toBe(3);
  });

  it('knows a thread that is gone, and what this one has worked', () => {
    const thread = threadId();
    expect([threadLives(thread), threadLives(2 ** 30), threadLives(0)]).toEqual([true, false, undefined]);
    const before = workedSeconds(thread);
    const start = process.cpuUsage().user;
    while (process.cpuUsage().user - start < 2e5);
    const worked = workedSeconds(thread) - before;
    expect(worked).toBeGreaterThan(0.05);
    expect(worked).toBeLessThan(5);
    Atomics.wait(clock, 0, 0, 300);
    expect(workedSeconds(thread) - before - worked).toBeLessThan(0.1);
  });
});

describe('a limit of work', () => {
  it('ends a worker that works too long, and one that is gone; the next call has a new one', () => {
    const worker = sleepingWorker(0.3);
    expect(() => worker.call({ work: 60 })).toThrow(LimitError);
    expect(() => worker.call({ end: true })).toThrow(/^did not end within 0.3 s and 64 MB$/);
    expect(worker.call({})).toBe('slept 0');
  }, 60_000);

  it('ends work of this thread that goes on and on', () => {
    expect(() =>
      timeLimiter(() => {
        for (;;);
      }, 0.2),
    ).toThrow('took longer than 0.2 s');
  });
});
