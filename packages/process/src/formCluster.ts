import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { StartError } from './startError.ts';

/** A redis-server with `cluster-enabled yes` on loopback. */
export interface ClusterNode {
  port: number;
  /** where the nodes talk to each other */
  busPort: number;
  password: string;
}

const SLOTS = 16_384;
const LOOK_EVERY_MS = 50;
const DEADLINE_MS = 30_000;

/**
 * Makes a Redis Cluster of running nodes: the first `masters` get equal stretches of the slots, the others are replicas of
 * them in turn. Nodes that are a cluster already keep their roles; they are introduced once more, because their ports may
 * have changed. Resolves when every node serves.
 * @throws StartError if they do not agree within 30 s
 */
export async function formCluster(nodes: ClusterNode[], masters: number): Promise<void> {
  // Only a start of a cluster needs it; every process imports this package.
  const { Redis } = await import('ioredis');
  const clients = nodes.map(
    ({ port, password }) => new Redis({ host: '127.0.0.1', port, ...(password === '' ? {} : { password }) }),
  );
  // Its commands wait until a node answers.
  for (const client of clients) client.on('error', () => {});
  try {
    const isNew = (await Promise.all(clients.map((client) => field(client, 'cluster_known_nodes')))).every(
      (known) => known === '1',
    );
    if (isNew) await Promise.all(clients.map((client, i) => begin(client, i, masters)));
    const [first] = clients;
    for (const { port, busPort } of nodes.slice(1)) await first?.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
    await Promise.all(
      clients.map((client) =>
        until(
          async () => (await knownNodes(client)) === nodes.length,
          'the nodes of the cluster do not find each other',
        ),
      ),
    );
    if (isNew) await Promise.all(clients.slice(masters).map((client, i) => follow(client, clients[i % masters])));
    await Promise.all(clients.map((client) => until(() => serves(client), 'the cluster does not serve')));
  } finally {
    for (const client of clients) client.disconnect();
  }
}

/** Equal stretches, as `redis-cli --cluster create` cuts them; every master begins with an epoch of its own. */
async function begin(client: Redis, number: number, masters: number): Promise<void> {
  await client.call('CLUSTER', 'SET-CONFIG-EPOCH', number + 1);
  if (number >= masters) return;
  const share = SLOTS / masters;
  const last = number === masters - 1 ? SLOTS - 1 : Math.round((number + 1) * share - 1);
  const first = number === 0 ? 0 : Math.round(number * share - 1) + 1;
  await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
}

async function follow(replica: Redis, master: Redis | undefined): Promise<void> {
  const id = String(await master?.call('CLUSTER', 'MYID'));
  await until(
    () =>
      replica.call('CLUSTER', 'REPLICATE', id).then(
        () => true,
        () => false,
      ),
    'a replica does not find its master',
  );
}

async function serves(client: Redis): Promise<boolean> {
  if ((await field(client, 'cluster_state')) !== 'ok') return false;
  const info = await client.info('replication');
  return !info.includes('role:slave') || info.includes('master_link_status:up');
}

const knownNodes = async (client: Redis): Promise<number> => Number(await field(client, 'cluster_known_nodes'));

async function field(client: Redis, name: string): Promise<string | undefined> {
  const info = String(await client.call('CLUSTER', 'INFO'));
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
}

async function until(holds: () => Promise<boolean>, problem: string): Promise<void> {
  for (const deadline = performance.now() + DEADLINE_MS; !(await holds()); ) {
    if (performance.now() > deadline) throw new StartError(problem);
    await pause(LOOK_EVERY_MS);
  }
}
