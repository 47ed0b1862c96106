import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Config } from '@ruyi/config';
import { answerLive, answerReady, type ProbeAnswer, type Readiness } from '@ruyi/process';
import { DEAD_QUEUE, openQueue, queuesOfPlan } from '@ruyi/queue';
import type { connect } from '@ruyi/redis';
import type { LanePlan } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import type { Queue } from 'bullmq';
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

/** Bull Board over every queue. It is read-only, except that dead letters may be retried. */
export function openBoard(redis: Redis, { plan, config, log, readiness }: BoardOptions): Board {
  const shown = new ShownQueues(redis);
  const serverAdapter = new ExpressAdapter();
  const pages = createBullBoard({
    queues: shown.adapters(plan),
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
    show(next) {
      if (shown.isShown(next)) return;
      pages.replaceQueues(shown.adapters(next));
    },
    close: () => shown.close(),
  };
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
