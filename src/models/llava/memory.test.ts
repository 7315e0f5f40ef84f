import { expect, it } from 'vitest';
import { openCheckpoint } from '../../checkpoints/disk.ts';
import { freeMemory } from '../../node/machine.ts';
import { inMemoryEntries } from './layout.ts';
import { requireMemory, weightMemory, worthRepacking } from './memory.ts';
import { directoryOf } from './testing/goldens.ts';

it('counts 16-bit weights as float32, and only those that are read', async () => {
  const { entries } = inMemoryEntries((await openCheckpoint(directoryOf('llama-linear-bf16'))).entries);
  const stored = [...entries.values()].reduce((sum, { length }) => sum + length, 0);
  expect(weightMemory(entries, entries.keys())).toBe(2 * stored);
  expect(weightMemory(entries, ['lm_head.weight'])).toBe(4 * 60 * 24);
});

it('tells what is missing for LLaVA-1.5-7B on a machine of 16 GB', () => {
  const weights = 4 * 7.06e9;
  expect(() => requireMemory('llava-1.5-7b-hf', weights, 16e9)).toThrow(
    'llava-1.5-7b-hf needs 28.5 GB of memory (its weights as float32 take 28.2 GB), but 16.0 GB are free: 12.5 GB are missing; close other programs or take a smaller model.',
  );
  requireMemory('llava-1.5-7b-hf', weights, 32e9);
  requireMemory('llava-1.5-7b-hf', weights, Number.POSITIVE_INFINITY);
  expect(freeMemory()).toBeGreaterThan(1e6);
});

it('repacks only small weights, and only where there is room', () => {
  expect([worthRepacking(0.5e9, 16e9), worthRepacking(0.5e9, 1.2e9), worthRepacking(2e9, 16e9)]).toEqual([true, false, false]);
});
