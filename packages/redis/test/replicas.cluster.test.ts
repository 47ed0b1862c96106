import { connect, countConnectionLosses, masterOf, mastersOf, probeRedis, slotOf, waitForReplicas } from '@ruyi/redis';
import { startCluster, type TestCluster, type TestNode, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

let cluster: TestCluster;
const connections: { disconnect(): void }[] = [];
const open = (role: Parameters<typeof connect>[1] = 'request') => {
  const connection = connect(cluster.url, role, 'test');
  connection.on('error', () => {});
  connections.push(connection);
  return connection;
};
/** The nodes that serve a key now: its master, and the replica that would take its place. */
async function nodesOf(key: string): Promise<{ master: TestNode; replica: TestNode }> {
  const { name } = await masterOf(open(), key);
  const master = cluster.nodes.find(({ port }) => name === `127.0.0.1:${port}`);
  const info = (await master?.client.info('replication')) ?? '';
  const [, port] = /^slave0:ip=[^,]*,port=(\d+),state=online/m.exec(info) ?? [];
  const replica = cluster.nodes.find((node) => node.port === Number(port));
  if (!master || !replica) throw new Error(`${key} has no master with a replica: ${info}`);
  return { master, replica };
}
/** A replica that waits for a core may be late once. */
const untilConfirmed = (replicas: ReturnType<typeof waitForReplicas>, key: string) =>
  waitFor(() => replicas.confirm([key]).then(() => true), { what: `a replica to have ${key}` });

beforeAll(async () => {
  cluster = await startCluster();
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.disconnect();
});
afterAll(() => cluster.stop());

test('slots are those of Redis', async () => {
  for (const key of [
    '',
    'a',
    '{a}b',
    'x{}y',
    '{}',
    'x{{a}}',
    'a{b}{c}',
    '{',
    '成{员}',
    'r:{3}:log:1:ann@bob',
    '{x}\u0000',
  ]) {
    expect([key, slotOf(key)]).toEqual([key, await cluster.nodes[0]?.client.cluster('KEYSLOT', key)]);
  }
});

test('every master is asked, and one endpoint is enough to find them', async () => {
  const masters = await mastersOf(open());
  expect(masters.map(({ name }) => name)).toEqual(
    cluster.nodes
      .slice(0, 3)
      .map(({ port }) => `127.0.0.1:${port}`)
      .sort(),
  );
});

describe('waiting for replicas', () => {
  test('covers what another connection wrote, as long as the replica does not have it', async () => {
    const replicas = waitForReplicas(open(), 1);
    const { replica } = await nodesOf('key');
    await open().set('key', 'before');
    await untilConfirmed(replicas, 'key');
    await replica.kill('SIGSTOP');
    try {
      await open().set('key', 'after');
      await expect(replicas.confirm(['key'])).rejects.toThrow(/^0 of REDIS_WAIT=1 replicas of the master 127/);
      // Other masters have replicas that answer.
      const other = ['a', 'b', 'c', 'd', 'e', 'f'].find((key) => Math.abs(slotOf(key) - slotOf('key')) > 6000);
      await untilConfirmed(replicas, other ?? '');
    } finally {
      await replica.kill('SIGCONT');
    }
    await untilConfirmed(replicas, 'key');
    await replica.client.readonly();
    expect(await replica.client.get('key')).toBe('after');
  });

  test('fails where there are fewer', async () => {
    const replicas = waitForReplicas(open(), 2);
    const failed = async () => {
      await expect(replicas.confirm(['key'])).rejects.toThrow(/^1 of REDIS_WAIT=2 replicas/);
      return true;
    };
    await waitFor(failed, { what: 'one of two' });
  });
});

test('at start every master is looked at: one without enough replicas is named, and one node alone is refused', async () => {
  const findings = await probeRedis({ redisUrl: cluster.url, redisWait: 2 });
  const lines = findings.map(({ line }) => line).filter((line) => line.includes('REDIS_WAIT=2, but it has 1 replicas'));
  expect(lines).toHaveLength(3);
  expect(
    (await probeRedis({ redisUrl: cluster.url, redisWait: 1 })).some(({ line }) => line.includes('REDIS_WAIT')),
  ).toBe(false);
  const url = `redis://127.0.0.1:${cluster.nodes[0]?.port}`;
  await expect(probeRedis({ redisUrl: url })).rejects.toThrow(/node of a Redis Cluster; use redis\+cluster/);
});

test.each<Parameters<typeof connect>[1]>(['request', 'background', 'worker'])(
  'the death of one master counts as a lost connection for %s, and its replica is found',
  async (role) => {
    const connection = open(role);
    const losses = countConnectionLosses(connection);
    await connection.set('key', role);
    await untilConfirmed(waitForReplicas(open(), 1), 'key');
    expect(losses()).toBe(0);
    const { master } = await nodesOf('key');
    await master.kill();
    await waitFor(async () => (await connection.get('key')) === role, { what: 'the replica', deadlineMs: 30_000 });
    expect(losses()).toBeGreaterThan(0);
    await master.start();
    await waitFor(() => nodesOf('key'), { what: 'the dead one to come back as a replica', deadlineMs: 30_000 });
  },
);

test('a master that is frozen until it is replaced counts as a lost connection, though it closed none', async () => {
  const connection = open('background');
  const losses = countConnectionLosses(connection);
  await connection.set('key', 'frozen');
  await untilConfirmed(waitForReplicas(open(), 1), 'key');
  const before = losses();
  const { master } = await nodesOf('key');
  await master.kill('SIGSTOP');
  try {
    await waitFor(() => losses() > before, { what: 'the loss to be noticed', deadlineMs: 30_000 });
    expect(await connection.get('key')).toBe('frozen');
  } finally {
    await master.kill('SIGCONT');
  }
});
