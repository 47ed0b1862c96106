import { answerLive, answerReady } from '@ruyi/process';
import { SearchUnavailableError } from '@ruyi/search';
import type { ApiContext } from '../context.ts';
import type { Route } from '../http/route.ts';

/** How long a check may take: the answer is due within 1 s, whatever is down (docs/api.md §3). */
const CHECK_MS = 900;

/** For whoever restarts processes that hang. */
export const livez: Route = {
  method: 'GET',
  path: '/livez',
  operation: 'livez',
  summary: 'Whether the process runs',
  answer: 'Ok',
  handle: answerLive,
};

/** For load balancers. */
export const readyz: Route = {
  method: 'GET',
  path: '/readyz',
  operation: 'readyz',
  summary: 'Whether requests should be sent to this process',
  answer: 'Ok',
  handle: ({ readiness }) => answerReady(readiness),
};

/** `down` (503) if Redis does not answer; `degraded` if the search engine does not, or if writes are refused with 429. */
export const health: Route = {
  method: 'GET',
  path: '/health',
  operation: 'health',
  summary: 'How the installation is',
  answer: 'HealthAnswer',
  alsoAnswers: 503,
  async handle({ store, search, admission, log }, _schemas, _input, { isAuthorized }) {
    const [redis, engine] = await Promise.all([
      stateOf('redis', store.health(), log),
      stateOf('search', search.check(), log),
    ]);
    const isDegraded = engine === 'down' || admission.isMemoryFull;
    const status = redis === 'down' ? 'down' : isDegraded ? 'degraded' : 'ok';
    // Details are only for those who carry the token (docs/api.md §1).
    const body = isAuthorized() ? { status, checks: { redis, search: engine } } : { status };
    return { status: redis === 'down' ? 503 : 200, body };
  },
};

/** `down` if the check fails or takes too long; an answer that comes later is ignored. */
function stateOf(what: string, asked: Promise<unknown>, log: ApiContext['log']): Promise<'ok' | 'down'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('down'), CHECK_MS);
    asked
      .then(
        () => resolve('ok'),
        (err) => {
          if (!(err instanceof SearchUnavailableError)) log.warn({ err }, `${what} check failed`);
          resolve('down');
        },
      )
      .finally(() => clearTimeout(timer));
  });
}
