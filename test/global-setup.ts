/** @file Before all tests and after them: the place of what `src/testing/compiled.ts` compiles. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Names a place that is there when something was compiled. @returns what takes it away */
export function setup(): () => void {
  const place = mkdtempSync(join(tmpdir(), 'narrows-compiled-'));
  process.env.NARROWS_COMPILED = join(place, 'package');
  return () => rmSync(place, { recursive: true, force: true });
}
