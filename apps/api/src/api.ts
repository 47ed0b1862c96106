import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { probesOnly, type Readiness, STILL_STARTING } from '@ruyi/process';
import { Backlog, joinLanes, Producer, type Queues, servingCheck, sharedHealth } from '@ruyi/queue';
import { confirmation, connect, connectForReplicas, reachRedis } from '@ruyi/redis';
import { createSearchReader, indexFolder, searchProblem } from '@ruyi/search';
import { createStore, type Membership, newName, VERSION } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf, startTracing, type Tracing } from '@ruyi/telemetry';
import { addRoutes, createApp } from './app.ts';
import type { ApiContext } from './context.ts';
import { HTTP_LIMITS, type HttpLimits } from './http/limits.ts';
import { closeServer, listen } from './http/listen.ts';
import { type RequestIds, requestIds } from './http/requestId.ts';
import { createHttpServer } from './http/server.ts';
import { Admission } from './ingress/admission.ts';
import { StoredWaiter } from './ingress/storedWaiter.ts';
import { IndexSight } from './search/indexSight.ts';

const CLOSE_QUEUES_MS = 1500;
const REPORT_EVERY_MS = 5000;

export interface RunningApi {
  address: string;
  /** whether it may serve, for /readyz */
  check: ReturnType<typeof servingCheck>;
  close(): Promise<void>;
}

/**
 * Starts an API process. Resolves when it serves. It listens before that, to say that it starts. An API that shares its
 * port with others must not: it would be sent requests that the others can serve.
 */
export async function startApi(
  config: Config,
  log: Logger,
  readiness: Readiness,
  limits: HttpLimits = HTTP_LIMITS,
): Promise<RunningApi> {
  const name = newName('api');
  const door = openDoor(requestIds(name), limits, readiness, log);
  const { server } = door;
  const early = config.apis === 1 ? await listen(server, config.host, config.port) : undefined;
  const starting = { settings: config, log };
  await reachRedis(starting);
  const connections = openConnections(config, log);
  const { background: redis, requests: jobs } = connections;
  const onError = firstFailure(log, 'this process cannot say that it lives');
  const tracing = await startTracing(config, { role: 'api', version: VERSION }, log);
  const joined = await joinLanes({ role: 'api', name, settings: config, redis, jobs, starting, onError, tracing });
  const { membership, queues } = joined;
  const context = createContext(config, log, connections, { ...joined, tracing }, readiness);
  const { store, producer, backlog, admission, waiter, search, metrics } = context;
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));

  door.serve(context);
  const address = early ?? (await listen(server, config.host, config.port));
  search.warm();
  return {
    address,
    check: servingCheck(connections.requests),
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
      connections.waiting?.redis.disconnect();
      await tracing?.close();
    },
  };
}

/** The HTTP server of the process. Until it serves with a context it answers probes alone. */
function openDoor(ids: RequestIds, limits: HttpLimits, readiness: Readiness, log: Logger) {
  const app = createApp();
  const probes = probesOnly(readiness, STILL_STARTING);
  let instead: RequestListener | undefined = (request, response) => {
    response.setHeader('x-request-id', ids.of(request));
    probes(request, response);
  };
  const server = createHttpServer(app, {
    limits,
    nextRequestId: ids.next,
    onDrop: ({ remoteAddress }, reason) => log.warn({ remoteAddress, reason }, 'connection dropped'),
    instead: () => instead,
    isDraining: () => readiness.state === 'draining',
  });
  const serve = (context: ApiContext) => {
    addRoutes(app, context, { ids, limits });
    instead = undefined;
  };
  return { server, serve };
}

/** One connection per role: a blocked or paused one must not hold up the others. */
function openConnections(config: Config, log: Logger) {
  const connections = {
    requests: connect(config, 'request', 'api'),
    background: connect(config, 'background', 'api-background'),
    subscriber: connect(config, 'background', 'api-subscriber'),
  };
  const waiting = connectForReplicas(config, 'api');
  for (const connection of [...Object.values(connections), waiting?.redis]) {
    connection?.on('error', (err) => log.warn({ err }, 'redis'));
  }
  return { ...connections, waiting };
}

function createContext(
  config: Config,
  log: Logger,
  { requests, background, subscriber, waiting }: ReturnType<typeof openConnections>,
  { membership, queues, tracing }: { membership: Membership; queues: Queues; tracing: Tracing | undefined },
  readiness: Readiness,
): ApiContext {
  const store = createStore(requests, { ...config, shards: membership.shards }, waiting);
  const producer = new Producer(queues, config.shards, confirmation(store.replicas));
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
  const health = sharedHealth({ redis: requests, search: () => searchProblem(() => search.check()), settings: config });
  const metrics = createMetrics(membership.self);
  const ingress = { queues, producer, backlog, admission, waiter };
  return { config, readiness, store, ...ingress, search, health, metrics, tracing, log };
}
