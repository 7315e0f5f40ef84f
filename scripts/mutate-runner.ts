/** @file The process in which `npm run mutate` runs tests: asked for one file at a time, it answers whether it passed. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createVitest } from 'vitest/node';

const root = process.argv[2];
let failed = false;
const vitest = await createVitest('test', {
  root,
  watch: false,
  maxWorkers: 1,
  testTimeout: 120_000,
  coverage: { enabled: false },
  reporters: [
    {
      // The first failure says all. (`bail` would count those of earlier runs, too.)
      onTestCaseResult(test) {
        if (test.result().state !== 'failed') return;
        failed = true;
        void vitest.cancelCurrentRun('test-failure');
      },
    },
  ],
});
await vitest.globTestSpecifications();

/** Runs a test file, after files have changed. An empty name only notes what changed. */
async function run(file: string, changed: readonly string[]): Promise<'passed' | 'failed'> {
  for (const path of changed) vitest.invalidateFile(join(root, path));
  // What tests start was compiled from the files before.
  if (process.env.NARROWS_COMPILED) rmSync(process.env.NARROWS_COMPILED, { recursive: true, force: true });
  if (file === '') return 'passed';
  failed = false;
  const specifications = vitest.getModuleSpecifications(join(root, file));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  vitest.state.clearErrors();
  // The list holds the files of earlier runs, too.
  const passed = !failed && testModules.some(m => m.relativeModuleId === file && m.ok()) && unhandledErrors.length === 0;
  return passed ? 'passed' : 'failed';
}

process.on('message', ({ file, changed }: { file: string; changed: readonly string[] }) => {
  run(file, changed).then(
    outcome => process.send!(outcome),
    () => process.send!('failed'),
  );
});
