import { createBullBoard } from '@bull-board/api';
import type { Config } from '@ruyi/config';
import { answerLive, answerReady, type ProbeAnswer, type Readiness } from '@ruyi/process';
import type { connect } from '@ruyi/redis';
import type { LanePlan } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { boundQueries } from './boundQueries.ts';
import { errorBody, pagesOf, uiConfig } from './bullBoard.ts';
import { LocalAdapter } from './localAdapter.ts';
import { login } from './login.ts';
import { ownPagesOnly, ownPostsOnly, securityHeaders } from './pageSecurity.ts';
import { readOnly } from './readOnly.ts';
import { ShownQueues } from './shownQueues.ts';

type Redis = ReturnType<typeof connect>;

export interface Board {
  name: string;
  app: Express;
  /** Shows the queues of another plan, if the number of lanes was changed. */
  show(plan: LanePlan): void;
  close(): Promise<void>;
}

/** What the pages need besides Redis. */
interface BoardOptions {
  plan: LanePlan;
  config: Config;
  log: Logger;
  readiness: Readiness;
}

/** Bull Board over every queue, read-only. */
export function openBoard(redis: Redis, { plan, config, log, readiness }: BoardOptions): Board {
  const shown = new ShownQueues(redis);
  const serverAdapter = new LocalAdapter();
  const pages = createBullBoard({
    queues: shown.adapters(plan),
    serverAdapter,
    options: {
      uiConfig: {
        ...uiConfig(config),
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
  app.use(readOnly);
  app.use(boundQueries);
  app.use('/api', onlyWhileServed(redis));
  app.use(pagesOf(serverAdapter));
  app.use(answerError(log));
  return {
    name: 'board',
    app,
    show(next) {
      if (shown.isShown(next)) return;
      pages.replaceQueues(shown.adapters(next));
    },
    close: () => shown.close(),
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
