import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { Backlog, openQueues, Producer, prepareLanes } from '@ruyi/queue';
import { connect, untilServed } from '@ruyi/redis';
import { createSearchReader } from '@ruyi/search';
import { checkInstallation, createStore } from '@ruyi/store';
import { createMetrics, firstFailure, type Logger, snapshotOf } from '@ruyi/telemetry';
import { createApp } from './app.ts';
import type { ApiContext } from './context.ts';
import { HTTP_LIMITS, type HttpLimits } from './http/limits.ts';
import { requestIds } from './http/requestId.ts';
import { createHttpServer } from './http/server.ts';
import { Admission } from './ingress/admission.ts';
import { StoredWaiter } from './ingress/storedWaiter.ts';

const START_MS = 30_000;
const CLOSE_CONNECTIONS_MS = 5000;
const CLOSE_QUEUES_MS = 1500;
const REPORT_EVERY_MS = 5000;

export interface RunningApi {
  address: string;
  close(): Promise<void>;
}

/** An API process. Resolves when it listens. */
export async function startApi(config: Config, log: Logger, limits: HttpLimits = HTTP_LIMITS): Promise<RunningApi> {
  const requests = connect(config.redisUrl, 'request', 'api');
  const background = connect(config.redisUrl, 'background', 'api-background');
  const subscriber = connect(config.redisUrl, 'background', 'api-subscriber');
  for (const connection of [requests, background, subscriber]) {
    connection.on('error', (err) => log.warn({ err }, 'redis'));
  }
  await untilServed(() => checkInstallation(background, config), AbortSignal.timeout(START_MS));
  const store = createStore(requests, config);
  const queues = openQueues(requests, config.lanes);
  await prepareLanes(background, queues);
  const producer = new Producer(queues, config.shards);
  const backlog = new Backlog(background, queues, firstFailure(log, 'the backlog is not measured'));
  const onError = firstFailure(log, 'the memory of Redis is not measured');
  const admission = new Admission(background, backlog, config.maxBacklog, onError);
  const waiter = new StoredWaiter(subscriber, producer.name);
  const search = createSearchReader(config, (reason) => log.warn({ reason }, 'search process ended'));
  const metrics = createMetrics('api');
  const report = async () => store.reports.write(metrics.process, await snapshotOf(metrics.registry));
  const stopReporting = every(REPORT_EVERY_MS, report, firstFailure(log, 'metrics of this process are not reported'));
  const context: ApiContext = { config, store, queues, producer, backlog, admission, waiter, search, metrics, log };

  const ids = requestIds(producer.name);
  const server = createHttpServer(createApp(context, { ids, bodiesBytes: limits.bodiesBytes }), {
    limits,
    nextRequestId: ids.next,
    onDrop: ({ remoteAddress }, reason) => log.warn({ remoteAddress, reason }, 'connection dropped'),
  });
  await listen(server, config.host, config.port);
  search.warm();
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : config.port;
  return {
    address: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    async close() {
      await closeServer(server);
      await producer.drained();
      await Promise.all([waiter.close(), search.close()]);
      // Redis may be away: what waits for it is dropped with its connection.
      const closed = Promise.all([admission.close(), backlog.close(), stopReporting(), queues.close()]);
      await Promise.race([closed, delay(CLOSE_QUEUES_MS, undefined, { ref: false })]);
      requests.disconnect();
      background.disconnect();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Answers what was begun, then closes; connections that are still busy after 5 s are cut. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // A kept-alive connection becomes idle when its answer is out; nobody tells, so it is looked for.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const busy = setTimeout(() => server.closeAllConnections(), CLOSE_CONNECTIONS_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(busy);
}
