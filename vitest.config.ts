import { defineConfig } from 'vitest/config';

const source = { conditions: ['ruyi-source', 'node', 'import', 'module', 'default'] };
const shared = { resolve: source, ssr: { resolve: source } };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        ...shared,
        // Also on a machine that is busy: a test that hangs is to be told from one that waits for a core.
        test: {
          name: 'unit',
          include: ['{packages,apps}/*/test/**/*.unit.test.ts', 'bench/test/**/*.unit.test.ts', 'test/**/*.unit.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['{packages,apps}/*/test/**/*.integration.test.ts', 'test/**/*.integration.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 240_000,
          // Each uses the whole machine.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
