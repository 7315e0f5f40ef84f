import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Tests that change what belongs to the whole process (its environment, streams, modules), or whose subject is a process. */
const APART = [
  'test/**/*.test.ts',
  'torture/**/*.test.ts',
  'scripts/**/*.test.ts',
  'src/{cli,jobs,node,runtime,web}/**/*.test.ts',
  'src/checkpoints/hub/**/*.test.ts',
  'src/**/*{exact-resume,ranks,extensions,jinja-sandbox,engine}.test.ts',
  'src/system/bytes.test.ts',
  'src/tensor/fill.test.ts',
];

export default defineConfig({
  test: {
    maxWorkers: 2,
    env: { NO_COLOR: '1', NARROWS_SPIN: '0' },
    globalSetup: 'test/global-setup.ts',
    setupFiles: 'test/setup.ts',
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'apart', include: APART } },
      // The rest share two processes: half of what such a file takes is the reading of modules.
      { extends: true, test: { name: 'together', include: ['src/**/*.test.ts'], exclude: [...APART, '**/node_modules/**'], isolate: false } },
    ],
    pool: 'forks',
    // Ten other processes may share the machine: a limit is there for what hangs, not for what is slow.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
