import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const source = { conditions: ['ruyi-source', 'node', 'import', 'default'] };
const shared = { resolve: source, ssr: { resolve: source } };
/** Files of a process share what they import. To load it anew for every file was half of the time of unit tests, a fifth of the others'. */
const together = { isolate: false };

const CORES = availableParallelism();
/** Tests with servers wait for about half of their time, so twice as many as there are cores keep these busy. */
const SIDE_BY_SIDE = Math.min(8, 2 * CORES);
/** Also beside others on a busy machine: a test that hangs is to be told from one that waits for a core. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000 };

const CLUSTER_SUITES = [
  'packages/redis/test/*.cluster.test.ts',
  'packages/store/test/{append,broadcasts,channels,inboxes,logs,trimming}.integration.test.ts',
  'packages/queue/test/{lanes,fairTurns,bullmqInternals}.integration.test.ts',
  'apps/worker/test/{fanOut,order}.integration.test.ts',
  'apps/indexer/test/rebuild.integration.test.ts',
  'apps/api/test/{send,sendbatch,sync,commands,metrics,broadcasts}.integration.test.ts',
  'test/*.cluster.test.ts',
];

/** What Ruyi does within a time that it promises: no more of them run at once than there are cores. */
const TIMED = [
  'test/whatIsWrong.e2e.test.ts',
  'test/masterDeath.cluster.test.ts',
  'test/npmStart.e2e.test.ts',
  'apps/api/test/{bodies,health,heavySearch}.integration.test.ts',
];
const elsewhere = { exclude: [...configDefaults.exclude, ...TIMED] };

/** The longest ones, longest first. Begun last, each would keep one core busy while the other has nothing to do. */
const LONG = [
  'apps/cli/test/up.',
  'test/whatIsWrong.',
  'test/masterDeath.',
  'packages/client/test/killedApi.',
  'apps/cli/test/broadcast.',
  'apps/api/test/broadcastRestarts.',
  'test/recovered.',
  'apps/api/test/heavySearch.',
  'apps/cli/test/exportImport.',
  'apps/board/test/operatorsPage.',
  'apps/api/test/broadcasts.',
  'test/ownCluster.',
  'packages/search/test/oracle.',
  'test/bench.',
  'test/torture.',
  'apps/cli/test/everyCommand.',
  'test/npmStart.',
  'test/exportImport.',
  'test/anyRedis.',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.includes(`/${name}`));
      return at === -1 ? LONG.length : at;
    };
    const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    // A process goes on only with files of its project.
    const byProject = (a: TestSpecification, b: TestSpecification) => a.project.name.localeCompare(b.project.name);
    return sorted.toSorted((a, b) => group(a) - group(b) || byProject(a, b) || place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          ...together,
          include: [
            '{packages,apps}/*/test/**/*.unit.test.ts',
            'bench/test/**/*.unit.test.ts',
            'test/**/*.unit.test.ts',
          ],
          ...patient,
          maxWorkers: Math.min(8, CORES),
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          ...together,
          include: ['{packages,apps}/*/test/**/*.integration.test.ts', 'test/**/*.integration.test.ts'],
          ...elsewhere,
          ...patient,
          maxWorkers: SIDE_BY_SIDE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        // The suites that decide whether everything works on a Redis Cluster, run once more on one (testkit).
        test: {
          name: 'cluster',
          ...together,
          include: CLUSTER_SUITES,
          ...elsewhere,
          ...patient,
          maxWorkers: SIDE_BY_SIDE,
          sequence: { groupOrder: 1 },
          env: { RUYI_TEST_CLUSTER: '1' },
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          ...together,
          globalSetup: 'scripts/prepared.mjs',
          include: ['test/**/*.e2e.test.ts'],
          ...elsewhere,
          testTimeout: 600_000,
          hookTimeout: 480_000,
          maxWorkers: SIDE_BY_SIDE,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...shared,
        test: {
          name: 'timed',
          ...together,
          globalSetup: 'scripts/prepared.mjs',
          include: TIMED,
          testTimeout: 600_000,
          hookTimeout: 480_000,
          maxWorkers: Math.min(8, CORES),
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
