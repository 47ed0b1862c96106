import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { createClient } from '@ruyi/client';
import { type Config, tokensOf } from '@ruyi/config';
import { answerLive, answerReady, type ProbeAnswer, type Readiness } from '@ruyi/process';
import { DEAD_QUEUE, type DeadLetters, openQueue, queuesOfPlan } from '@ruyi/queue';
import type { connect } from '@ruyi/redis';
import type { LanePlan } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import type { Queue } from 'bullmq';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { actions } from './actions/actions.ts';
import { boundQueries } from './boundQueries.ts';
import { errorBody, pagesOf } from './bullBoard.ts';
import { Batches } from './live/batches.ts';
import { events } from './live/events.ts';
import { Live } from './live/live.ts';
import { login } from './login.ts';
import { answerRefusal, data } from './page/data.ts';
import { assets, pages } from './page/pages.ts';
import { ownPagesOnly, ownPostsOnly, securityHeaders } from './pageSecurity.ts';
import { readOnlyExceptRetry } from './readOnly.ts';
import { requestDeadline } from './requestDeadline.ts';

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
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath('/queues');
  const queuePages = createBullBoard({
    queues: shown.adapters(plan),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Ruyi',
        hideDocsLink: true,
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
  app.use('/queues', readOnlyExceptRetry(log), boundQueries);
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

/** The queues that the pages show. One that is shown no more stays open for pages that are being read. */
class ShownQueues {
  readonly #redis: Redis;
  readonly #queues = new Map<string, Queue>();
  #names = '';

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  isShown(plan: LanePlan): boolean {
    return this.#names === namesOf(plan);
  }

  adapters(plan: LanePlan): BullMQAdapter[] {
    this.#names = namesOf(plan);
    return queuesOfPlan(plan).map((queueName) => {
      const queue = this.#queues.get(queueName.name) ?? openQueue(this.#redis, queueName);
      this.#queues.set(queueName.name, queue);
      const isDead = queueName.name === DEAD_QUEUE.name;
      return new BullMQAdapter(queue, { readOnlyMode: !isDead, allowRetries: isDead });
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()));
  }
}

const namesOf = (plan: LanePlan) =>
  queuesOfPlan(plan)
    .map(({ name }) => name)
    .join();

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
