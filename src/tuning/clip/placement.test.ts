/** A training step on WebGPU, on a card of software: all of it on the card, with the processor's loss. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { SOFTWARE_CARD, withoutCard } from '../../runtime/testing/software-card.ts';
import { started } from '../../testing/compiled.ts';

const CHILD = fileURLToPath(new URL('testing/placement-child.ts', import.meta.url));

async function step(env: Readonly<Record<string, string>>, how = ''): Promise<{ loss: number; nodes: number; toHost: string[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, [...started(CHILD), how], { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

it.skipIf(withoutCard)(
  `a training step on WebGPU sends no value to the host${withoutCard ? ` (left out: ${withoutCard})` : ''}`,
  { timeout: 600_000 },
  async () => {
    const cpu = await step({ NARROWS_DEVICE: 'cpu' });
    const gpu = await step(SOFTWARE_CARD);
    expect(cpu.nodes).toBe(0);
    expect(gpu.nodes).toBeGreaterThan(500);
    expect(gpu.loss / cpu.loss).toBeCloseTo(1, 5);
    expect(gpu.toHost).toEqual([]);
    // The proof that it would be seen: what the processor's graph has and WebGPU has not.
    expect((await step(SOFTWARE_CARD, 'plain')).toHost).toContain('float');
  },
);
