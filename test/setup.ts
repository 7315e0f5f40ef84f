/** @file Before each test file: threads start compiled, and long rows of numbers are compared at once. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { setCompiledSource } from '../src/node/threads.ts';
import { compiledFile } from '../src/testing/compiled.ts';
import { equalNumbers } from '../src/testing/equal-numbers.ts';

setCompiledSource(source => {
  const file = compiledFile(fileURLToPath(source));
  return file === undefined ? undefined : pathToFileURL(file);
});

// Only what is equal is decided here; what differs goes the usual way, which finds and shows the difference.
expect.addEqualityTesters([(a, b) => equalNumbers(a, b) || undefined]);
