import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { hangReport, reporting } from './hang-report.ts';

const directory = mkdtempSync(join(tmpdir(), 'narrows-hang-'));
let child: ChildProcess;
afterEach(() => {
  child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

it('tells what an idle event loop waits for, and that a blocked thread tells nothing', { timeout: 30_000 }, async () => {
  const start = async (script: string): Promise<void> => {
    child = spawn(process.execPath, [...reporting(directory), '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout!, 'data');
  };
  await start("require('node:net').createServer().listen(0, () => console.log('ready'))");
  expect(await hangReport(child, directory)).toMatch(/"type":"tcp"/);
  child.kill('SIGKILL');
  await start("console.log('ready'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)");
  expect(await hangReport(child, directory, 1)).toBe('It gave no report: its thread is blocked.');
});
