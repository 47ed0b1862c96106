import { defineConfig } from 'vitest/config';

const source = { conditions: ['ruyi-source', 'node', 'import', 'default'] };
const shared = { resolve: source, ssr: { resolve: source } };

const CLUSTER_SUITES = [
  'packages/redis/test/*.cluster.test.ts',
  'packages/store/test/{append,broadcasts,channels,inboxes,logs,trimming}.integration.test.ts',
  'packages/queue/test/{lanes,fairTurns,bullmqInternals}.integration.test.ts',
  'apps/worker/test/{fanOut,order}.integration.test.ts',
  'apps/indexer/test/rebuild.integration.test.ts',
  'apps/api/test/{send,sendbatch,sync,commands,metrics,broadcasts}.integration.test.ts',
  'test/*.cluster.test.ts',
];

export default defineConfig({
  test: {
    maxWorkers: 2,
    // Unit tests do not `isolate`: their files share what they import in each of the two processes. Loading it anew for every
    // file was half of the time. Integration tests look for what they left open, so each of their files has a process of its own.
    projects: [
      {
        ...shared,
        // Also on a machine that is busy: a test that hangs is to be told from one that waits for a core.
        test: {
          name: 'unit',
          include: [
            '{packages,apps}/*/test/**/*.unit.test.ts',
            'bench/test/**/*.unit.test.ts',
            'test/**/*.unit.test.ts',
          ],
          testTimeout: 60_000,
          isolate: false,
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
        // The suites that decide whether everything works on a Redis Cluster, run once more on one (testkit).
        test: {
          name: 'cluster',
          include: CLUSTER_SUITES,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          env: { RUYI_TEST_CLUSTER: '1' },
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 480_000,
          // Each uses the whole machine.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
