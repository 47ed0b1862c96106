import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Config } from '@ruyi/config';
import { answerLive, answerReady, type ProbeAnswer, type Readiness } from '@ruyi/process';
import { allQueues, DEAD_QUEUE, openQueue } from '@ruyi/queue';
import type { connect } from '@ruyi/redis';
import type { Logger } from '@ruyi/telemetry';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { boundQueries } from './boundQueries.ts';
import { errorBody, pagesOf } from './bullBoard.ts';
import { login } from './login.ts';
import { ownPagesOnly, ownPostsOnly, securityHeaders } from './pageSecurity.ts';
import { readOnlyExceptRetry } from './readOnly.ts';

type Redis = ReturnType<typeof connect>;

export interface Board {
  name: string;
  app: Express;
  close(): Promise<void>;
}

/** Bull Board over every queue. It is read-only, except that dead letters may be retried. */
export function openBoard(redis: Redis, config: Config, log: Logger, readiness: Readiness): Board {
  const queues = allQueues(config.lanes).map((queue) => openQueue(redis, queue));
  const serverAdapter = new ExpressAdapter();
  createBullBoard({
    queues: queues.map(
      (queue) =>
        new BullMQAdapter(queue, {
          readOnlyMode: queue.name !== DEAD_QUEUE.name,
          allowRetries: queue.name === DEAD_QUEUE.name,
        }),
    ),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Ruyi',
        hideDocsLink: true,
        ...(config.boardToken === '' ? {} : { miscLinks: [{ text: 'Log out', url: '/logout' }] }),
      },
    },
  });

  const app = express();
  app.disable('x-powered-by');
  app.use(securityHeaders);
  app.get('/livez', probe(answerLive));
  app.get(
    '/readyz',
    probe(() => answerReady(readiness)),
  );
  app.get('/health', health(redis));
  if (config.boardToken !== '') app.use(ownPostsOnly, login(config.boardToken));
  else if (!config.allowAnonymous) app.use(ownPagesOnly);
  app.use(readOnlyExceptRetry(log));
  app.use(boundQueries);
  app.use('/api', onlyWhileServed(redis));
  app.use(pagesOf(serverAdapter));
  app.use(answerError(log));
  return {
    name: 'board',
    app,
    close: async () => {
      await Promise.allSettled(queues.map((queue) => queue.close()));
    },
  };
}

/** Probes come before the login and the check of the host: they know neither a token nor a name. */
const probe =
  (ask: () => Promise<ProbeAnswer>): RequestHandler =>
  async (_, response) => {
    const { status, body, headers } = await ask();
    response.status(status).set(headers).json(body);
  };

const health =
  (redis: Redis): RequestHandler =>
  async (_, response) => {
    const answers = await redis.ping().catch(() => undefined);
    const ok = answers === 'PONG';
    response
      .status(ok ? 200 : 503)
      .json({ status: ok ? 'ok' : 'unavailable', checks: { redis: ok ? 'ok' : 'unavailable' } });
  };

/** While Redis is away a queue waits for it, but the page needs an answer: it shows the text in `message`. */
const onlyWhileServed =
  (redis: Redis): RequestHandler =>
  async (_, response, next) => {
    const answers = await redis.ping().catch(() => undefined);
    if (answers === 'PONG') return next();
    response.status(503).set('Retry-After', '2');
    response.json(errorBody('INTERNAL_SERVER_ERROR', 'Redis does not answer'));
  };

const answerError =
  (log: Logger): ErrorRequestHandler =>
  (err, request, response, next) => {
    const status = typeof err?.status === 'number' && err.status < 500 ? err.status : 500;
    if (status === 500) log.error({ err, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) return next(err);
    response.status(status).json({ error: status === 500 ? 'internal' : 'invalid request' });
  };
