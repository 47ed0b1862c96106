import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { Backlog, joinLanes, Producer, type Queues } from '@ruyi/queue';
import { connect, reachRedis } from '@ruyi/redis';
import { createSearchReader, indexFolder } from '@ruyi/search';
import { createStore, type Membership } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf } from '@ruyi/telemetry';
import { createApp } from './app.ts';
import type { ApiContext } from './context.ts';
import { HTTP_LIMITS, type HttpLimits } from './http/limits.ts';
import { closeServer, listen } from './http/listen.ts';
import { requestIds } from './http/requestId.ts';
import { createHttpServer } from './http/server.ts';
import { Admission } from './ingress/admission.ts';
import { StoredWaiter } from './ingress/storedWaiter.ts';
import { IndexSight } from './search/indexSight.ts';

const CLOSE_QUEUES_MS = 1500;
const REPORT_EVERY_MS = 5000;

export interface RunningApi {
  address: string;
  close(): Promise<void>;
}

/** Starts an API process. Resolves when it listens. */
export async function startApi(config: Config, log: Logger, limits: HttpLimits = HTTP_LIMITS): Promise<RunningApi> {
  const starting = { settings: config, log };
  await reachRedis(starting);
  const connections = openConnections(config, log);
  const { background: redis, requests: jobs } = connections;
  const onError = firstFailure(log, 'this process cannot say that it lives');
  const { membership, queues } = await joinLanes({ role: 'api', settings: config, redis, jobs, starting, onError });
  const context = createContext(config, log, connections, { membership, queues });
  const { store, producer, backlog, admission, waiter, search, metrics } = context;
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));

  const ids = requestIds(producer.name);
  const server = createHttpServer(createApp(context, { ids, limits }), {
    limits,
    nextRequestId: ids.next,
    onDrop: ({ remoteAddress }, reason) => log.warn({ remoteAddress, reason }, 'connection dropped'),
  });
  const address = await listen(server, config.host, config.port);
  search.warm();
  return {
    address,
    async close() {
      await closeServer(server);
      await producer.drained();
      await Promise.all([waiter.close(), search.close()]);
      // If Redis is away these never end: whatever waits for Redis is dropped with its connection.
      const closed = Promise.all([
        admission.close(),
        backlog.close(),
        stopReporting(),
        queues.close(),
        membership.leave(),
      ]);
      await Promise.race([closed, delay(CLOSE_QUEUES_MS, undefined, { ref: false })]);
      connections.requests.disconnect();
      connections.background.disconnect();
    },
  };
}

/** One connection per role: a blocked or paused one must not hold up the others. */
function openConnections(config: Config, log: Logger) {
  const connections = {
    requests: connect(config, 'request', 'api'),
    background: connect(config, 'background', 'api-background'),
    subscriber: connect(config, 'background', 'api-subscriber'),
  };
  for (const connection of Object.values(connections)) connection.on('error', (err) => log.warn({ err }, 'redis'));
  return connections;
}

function createContext(
  config: Config,
  log: Logger,
  { requests, background, subscriber }: ReturnType<typeof openConnections>,
  { membership, queues }: { membership: Membership; queues: Queues },
): ApiContext {
  const store = createStore(requests, config);
  const producer = new Producer(queues, config.shards);
  const backlog = new Backlog(background, queues, firstFailure(log, 'the backlog is not measured'));
  const onError = firstFailure(log, 'the memory of Redis is not measured');
  const admission = new Admission(background, backlog, config.maxBacklog, onError);
  const waiter = new StoredWaiter(subscriber, producer.name);
  const directory = config.meiliUrl === '' ? indexFolder(config) : undefined;
  const sight = new IndexSight(store, directory, {
    onChange: (isOther) =>
      isOther
        ? log.warn({ directory }, 'the indexer writes another search index: searches are refused')
        : log.info({ directory }, 'the search index is that of the indexer again'),
    onError: firstFailure(log, 'cannot look which search index there is'),
  });
  const reader = createSearchReader(config, (reason) => log.warn({ reason }, 'search process ended'));
  const search = sight.guard(reader);
  const metrics = createMetrics(membership.self);
  return { config, store, queues, producer, backlog, admission, waiter, search, metrics, log };
}
