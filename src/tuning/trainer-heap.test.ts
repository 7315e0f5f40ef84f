import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** How often V8 walks the whole heap in 80 updates. */
async function collections(mode: 'train' | 'own-rule' | 'after'): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'narrows-heap-'));
  const script = new URL('./testing/heap-run.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, ['--trace-gc', '--expose-gc', '--import', 'tsx', script, mode, directory]);
  expect(stdout).toContain('begins');
  return stdout.slice(stdout.indexOf('begins')).match(/Mark-Compact/g)?.length ?? 0;
}

describe('the heap of a training run', () => {
  // When V8 walks the heap goes by its speed, too: a control that hardly walked shows nothing, and is asked again.
  it("is walked seldom, though gradients come and go; afterwards V8's own rule holds", { timeout: 60_000, retry: 2 }, async () => {
    const [training, own, after] = [await collections('train'), await collections('own-rule'), await collections('after')];
    expect(own).toBeGreaterThan(5);
    expect(training).toBeLessThan(own / 3);
    expect(after).toBeGreaterThan(own / 2);
  });
});
