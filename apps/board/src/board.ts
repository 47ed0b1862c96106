import { createBullBoard } from '@bull-board/api';
import { createClient } from '@ruyi/client';
import { type Config, tokensOf } from '@ruyi/config';
import { answerLive, answerReady, type ProbeAnswer, type Readiness } from '@ruyi/process';
import type { DeadLetters } from '@ruyi/queue';
import type { connect } from '@ruyi/redis';
import type { LanePlan } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { actions } from './actions/actions.ts';
import { boundQueries } from './boundQueries.ts';
import { errorBody, pagesOf, uiConfig } from './bullBoard.ts';
import { Batches } from './live/batches.ts';
import { events } from './live/events.ts';
import { Live } from './live/live.ts';
import { LocalAdapter } from './localAdapter.ts';
import { login } from './login.ts';
import { answerRefusal, data } from './page/data.ts';
import { assets, pages } from './page/pages.ts';
import { ownPagesOnly, ownPostsOnly, securityHeaders } from './pageSecurity.ts';
import { readOnly } from './readOnly.ts';
import { requestDeadline } from './requestDeadline.ts';
import { ShownQueues } from './shownQueues.ts';

/** How long the API may take for an answer. */
const API_SECONDS = 10;

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
  dead: DeadLetters;
  config: Config;
  log: Logger;
  readiness: Readiness;
}

/** The page for operators at `/`, and Bull Board over every queue at `/queues`. */
export function openBoard(redis: Redis, options: BoardOptions): Board {
  const { plan, config, log, dead } = options;
  const [token = ''] = tokensOf(config.apiToken);
  const ruyi = createClient({ url: config.ruyiUrl, token, retrySeconds: 0, timeoutSeconds: API_SECONDS });
  const sources = { ruyi, url: config.ruyiUrl, batches: new Batches(ruyi) };
  const live = new Live(sources, dead, log);
  const shown = new ShownQueues(redis);
  const serverAdapter = new LocalAdapter();
  serverAdapter.setBasePath('/queues');
  const queuePages = createBullBoard({
    queues: shown.adapters(plan),
    serverAdapter,
    options: {
      uiConfig: {
        ...uiConfig(config),
        miscLinks: [
          { text: 'Overview', url: '/' },
          ...(config.boardToken === '' ? [] : [{ text: 'Log out', url: '/logout' }]),
        ],
      },
    },
  });

  const app = appWithProbes(redis, options);
  app.use('/assets', assets());
  if (config.boardToken !== '') app.use(ownPostsOnly, login(config.boardToken));
  else if (!config.allowAnonymous) app.use(ownPagesOnly);
  app.use(pages(), data(sources, dead));
  app.get('/events', events(live, config));
  app.use('/actions', actions({ ruyi, dead, live }, config, log));
  app.use('/queues', readOnly, boundQueries);
  app.use('/queues/api', onlyWhileServed(redis));
  app.use('/queues', pagesOf(serverAdapter));
  app.use(answerRefusal(config.ruyiUrl), answerError(log));
  return {
    name: 'board',
    app,
    show(next) {
      if (shown.isShown(next)) return;
      queuePages.replaceQueues(shown.adapters(next));
    },
    close: async () => {
      await Promise.all([live.close(), shown.close()]);
    },
  };
}

/** What comes before the login and the check of the host: it knows neither a token nor a name. */
function appWithProbes(redis: Redis, { readiness }: BoardOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(securityHeaders, requestDeadline);
  app.get('/livez', probe(answerLive));
  app.get(
    '/readyz',
    probe(() => answerReady(readiness)),
  );
  app.get('/health', health(redis));
  return app;
}

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
    // Whoever asked has gone.
    if (response.destroyed) return;
    const status = typeof err?.status === 'number' && err.status < 500 ? err.status : 500;
    if (status === 500) log.error({ err, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) return next(err);
    response.status(status).json({ error: status === 500 ? 'internal' : 'invalid request' });
  };
