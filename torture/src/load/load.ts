import { seededRandom, waitFor } from '@ruyi/testkit';
import type { Findings } from '../findings.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { System } from '../system/system.ts';
import { runBroadcaster } from './broadcaster.ts';
import type { Http } from './http.ts';
import { type ReadCommand, runReader } from './reader.ts';
import { type LoadContext, type LoadStats, runSender } from './sender.ts';
import { GROUP, type World } from './world.ts';

export interface Load {
  stats: LoadStats;
  /** Directs requests to the APIs themselves, or through the proxies that cut connections. */
  throughProxies(yes: boolean): void;
  /** Begins nothing new. Resolves with what each reader has read, once everything that was begun is answered. */
  stop(): Promise<Map<string, ReadCommand[]>>;
}

const SEED_STEP = 7919;
/** The processes have just started, and may not be quick enough for every request. */
const CREATED_DEADLINE_MS = 60_000;

export async function createUsersAndGroups(http: Http, port: number, world: World): Promise<void> {
  for (const { id, members } of world.groups) {
    const body = { channel_id: id, channel_type: GROUP, subscribers: members };
    await untilDone(http, port, '/channel', body, `group ${id} to be created`);
  }
  for (const uid of world.registered) {
    await untilDone(http, port, '/user/token', { uid, token: uid }, `user ${uid} to be registered`);
  }
}

/** Repeats a request that may be repeated until it is answered 200. */
async function untilDone(http: Http, port: number, path: string, body: object, what: string): Promise<void> {
  const done = async () => {
    const { status } = await http.call(port, 'POST', path, body);
    if (status !== 200) throw new Error(`it was answered ${status}`);
    return true;
  };
  await waitFor(done, { what, deadlineMs: CREATED_DEADLINE_MS, everyMs: 200 });
}

/** Starts all senders and readers. Each has its own random numbers, so the same seed gives each the same requests. */
export function startLoad(
  system: System,
  shared: { http: Http; world: World; ledger: Ledger; findings: Findings; seed: number },
): Load {
  const stop = new AbortController();
  const stats: LoadStats = { statuses: new Map(), failures: new Map(), refused: 0, cut: 0, cutFresh: 0, latencies: [] };
  let ports = system.apiPorts;
  const context: LoadContext = { ...shared, stats, stop: stop.signal, ports: () => ports };
  const { senders, readers, broadcasters } = shared.world;
  const randomOf = (i: number) => seededRandom(shared.seed + SEED_STEP * (i + 1));
  const sending = senders.map((uid, i) => runSender(context, uid, randomOf(i)));
  const reading = readers.map(
    async (uid, i) => [uid, await runReader(context, uid, randomOf(senders.length + i))] as const,
  );
  const ofOthers = senders.length + readers.length;
  const broadcasting = broadcasters.map((uid, i) =>
    runBroadcaster(context, system.redis.client, uid, randomOf(ofOthers + i)),
  );
  const all = Promise.all([Promise.all(reading), ...sending, ...broadcasting]);
  // stop() handles errors; until then an error must not end the process.
  all.catch(() => {});
  return {
    stats,
    throughProxies(yes) {
      ports = yes ? system.apiProxies.map(({ port }) => port) : system.apiPorts;
    },
    async stop() {
      stop.abort();
      const [read] = await all;
      return new Map(read);
    },
  };
}
