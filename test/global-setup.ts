/** @file Before all tests and after them: the place of what `src/testing/compiled.ts` compiles. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** Names a place, which is filled when a test starts something. @returns what takes it away */
export function setup(project: Pick<TestProject, 'onTestsRerun'>): () => void {
  const place = mkdtempSync(join(tmpdir(), 'narrows-compiled-'));
  const folder = join(place, 'package');
  process.env.NARROWS_COMPILED = folder;
  // While vitest watches, sources change.
  project.onTestsRerun(() => rmSync(folder, { recursive: true, force: true }));
  return () => rmSync(place, { recursive: true, force: true });
}
