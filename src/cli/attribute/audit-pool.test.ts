import { describe, expect, it } from 'vitest';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { defaultWorkers } from './audit-pool.ts';

const model = { checkpoint: { entries: new Map([['w', { length: 300e6 }]]) } } as unknown as Pick<DualEncoder, 'checkpoint'>;

describe('the threads of an audit', () => {
  it.each([
    [7, 4, 64e9, undefined, 0],
    [8, 4, 64e9, undefined, 4],
    [8, 16, 64e9, undefined, 8],
    [100, 1, 64e9, undefined, 0],
    // 300 MB of weights, 512 MB of intermediate values, 200 MB of a thread.
    [100, 4, 3.1e9, undefined, 3],
    [100, 4, 2e9, undefined, 0],
    [100, 4, 2e9, 100e6, 3],
  ])('%d pairs on %d cores with %d bytes free', (pairs, cores, free, maxMemory, workers) => {
    expect(defaultWorkers(pairs, model, maxMemory, { cores, free })).toBe(workers);
  });
});
