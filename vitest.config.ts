import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'torture/**/*.test.ts'],
    globalSetup: 'test/global-setup.ts',
    pool: 'forks',
    maxWorkers: 2,
    // Ten other processes may share the machine: a limit is there for what hangs, not for what is slow.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    env: { NO_COLOR: '1', NARROWS_SPIN: '0' },
  },
});
