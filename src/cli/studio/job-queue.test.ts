import { describe, expect, it } from 'vitest';
import { StudioError, type StudioEvent } from '../../studio/protocol.ts';
import { NarrowsError } from '../../system/errors.ts';
import { EventBuffer } from './event-buffer.ts';
import { JobQueue, type JobWork } from './job-queue.ts';

const warned: string[] = [];
const log = { warn: (message: string) => void warned.push(message), debug: () => {} };
const queue = (most = 4) => new JobQueue({ most, log });
const word = (text: string): StudioEvent => ({ kind: 'words', text });
async function all(stream: AsyncIterable<StudioEvent>): Promise<StudioEvent[]> {
  const events: StudioEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}
const endless: JobWork = (_, signal) => new Promise((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
const TIMEOUT = { timeout: 60_000 };

describe('JobQueue', () => {
  it('runs jobs one by one in order, and tells those that wait their place', async () => {
    const jobs = queue();
    const order: string[] = [];
    let release = (): void => {};
    const first = all(
      jobs.run(async say => {
        order.push('first');
        await new Promise<void>(done => {
          release = done;
        });
        say(word('one'));
        order.push('first ends');
      }, TIMEOUT),
    );
    const second = all(jobs.run(async () => void order.push('second'), TIMEOUT));
    const third = all(jobs.run(async () => void order.push('third'), TIMEOUT));
    await new Promise(done => setTimeout(done, 20));
    release();
    expect((await first).map(e => e.kind)).toEqual(['started', 'words', 'done']);
    expect((await second).flatMap(e => (e.kind === 'started' ? [e.ahead] : []))).toEqual([1, 0]);
    expect((await third).flatMap(e => (e.kind === 'started' ? [e.ahead] : []))).toEqual([2, 1, 0]);
    expect(order).toEqual(['first', 'first ends', 'second', 'third']);
  });

  it('cancels by id, by signal and by leaving, whether a job runs or waits, and goes on', async () => {
    const jobs = queue();
    const running = jobs.run(endless, TIMEOUT);
    const { value } = await running.next();
    const waiting = new AbortController();
    const second = all(jobs.run(endless, { ...TIMEOUT, signal: waiting.signal }));
    waiting.abort();
    expect((await second).at(-1)).toEqual({ kind: 'failure', reason: 'cancelled', message: 'Cancelled.' });
    expect(jobs.cancel((value as { job: string }).job)).toBe(true);
    expect(jobs.cancel('stranger')).toBe(false);
    expect(await all(running)).toMatchObject([{ kind: 'failure', reason: 'cancelled' }]);
    for await (const event of jobs.run(endless, TIMEOUT)) if (event.kind === 'started') break;
    expect((await all(jobs.run(async () => {}, TIMEOUT))).at(-1)).toEqual({ kind: 'done' });
  });

  it('does not begin the next job before the work of a cancelled one has ended', async () => {
    const jobs = queue();
    let ended = false;
    const stubborn = jobs.run(async () => {
      await new Promise(done => setTimeout(done, 60));
      ended = true;
    }, TIMEOUT);
    await stubborn.next();
    await stubborn.return();
    let seen: boolean | undefined;
    const look: JobWork = async () => {
      seen = ended;
    };
    await all(jobs.run(look, TIMEOUT));
    expect(seen).toBe(true);
  });

  it('ends a job in time, refuses one too many, and tells faults from bad input', async () => {
    const jobs = queue(1);
    expect((await all(jobs.run(endless, { timeout: 20 }))).at(-1)).toMatchObject({ reason: 'timeout' });
    const holding = jobs.run(endless, TIMEOUT);
    await holding.next();
    const waiting = jobs.run(endless, TIMEOUT);
    await waiting.next();
    expect(await all(jobs.run(endless, TIMEOUT))).toMatchObject([{ kind: 'failure', reason: 'busy' }]);
    await Promise.all([holding.return(), waiting.return()]);
    const failing = async (error: Error) => (await all(jobs.run(() => Promise.reject(error), TIMEOUT))).at(-1);
    expect(await failing(new NarrowsError('The picture is bad.'))).toMatchObject({ reason: 'input', message: 'The picture is bad.' });
    expect(await failing(new StudioError('missing', 'Gone.'))).toMatchObject({ reason: 'missing' });
    expect(await failing(new TypeError('secret path'))).toEqual({
      kind: 'failure',
      reason: 'internal',
      message: expect.not.stringContaining('secret'),
    });
    expect(warned.at(-1)).toContain('secret path');
  });
});

describe('EventBuffer', () => {
  it('lets frames go that a slow reader would only see late, and nothing else', async () => {
    const buffer = new EventBuffer();
    const frame = (step: number): StudioEvent =>
      ({ kind: 'frame', method: 'm2ib', modality: 'image', seed: 0, step, steps: 500 }) as unknown as StudioEvent;
    buffer.add(word('first'));
    for (let step = 1; step <= 500; step++) buffer.add(frame(step));
    buffer.add({ kind: 'warning', message: 'told' });
    buffer.end({ kind: 'done' });
    buffer.add(word('late'));
    const events = await all(buffer);
    const steps = events.flatMap(e => (e.kind === 'frame' ? [e.step] : []));
    expect(steps.at(-1)).toBe(500);
    expect(steps.length).toBeLessThan(70);
    expect(events.filter(e => e.kind !== 'frame').map(e => e.kind)).toEqual(['words', 'warning', 'done']);
  });
});
