import { startCluster, type TestCluster, waitFor } from '@ruyi/testkit';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect } from '../src/connect.ts';

// What BullMQ does with the connection of a worker: it duplicates it, and waits for `connect` of the copy.

let cluster: TestCluster;
const opened: Cluster[] = [];
beforeAll(async () => {
  cluster = await startCluster({ masters: 2, replicasPerMaster: 0, nodeTimeoutMs: 2000 });
});
afterEach(() => {
  for (const one of opened.splice(0)) one.disconnect();
});
afterAll(() => cluster.stop());

function duplicateOf(url: string): { copy: Cluster; tries: () => number } {
  const original = connect(url, 'background', 'test');
  if (!(original instanceof Cluster)) throw new Error('a cluster was expected');
  const copy = original.duplicate();
  let tries = 0;
  copy.on('reconnecting', () => tries++);
  for (const one of [original, copy]) one.on('error', () => {});
  opened.push(original, copy);
  return { copy, tries: () => tries };
}

test('connect resolves once the cluster serves, although it says at first that it cannot', async () => {
  const [first, second] = cluster.nodes;
  await second?.kill();
  const isFailing = async () => String(await first?.client.call('CLUSTER', 'INFO')).includes('cluster_state:fail');
  await waitFor(isFailing, { what: 'the cluster to miss a master' });
  const { copy, tries } = duplicateOf(cluster.url);
  const connected = copy.connect();
  await waitFor(() => tries() >= 2, { what: 'it to try again' });
  await second?.start();
  await connected;
  expect(copy.status).toBe('ready');
});

test('connect resolves once a node can be reached, although none could at first', async () => {
  for (const node of cluster.nodes) await node.kill();
  const { copy, tries } = duplicateOf(cluster.url);
  const connected = copy.connect();
  await waitFor(() => tries() >= 2, { what: 'it to try again' });
  for (const node of cluster.nodes) await node.start();
  await connected;
  expect(copy.status).toBe('ready');
});

test('connect rejects if the connection is closed meanwhile', async () => {
  const { copy } = duplicateOf(cluster.url);
  const connected = copy.connect();
  copy.disconnect();
  await expect(connected).rejects.toThrow();
});
