import { SearchUnavailableError } from '@ruyi/search';
import type { ApiContext } from '../context.ts';
import type { Route } from '../http/route.ts';

/** The answer is there within 1 s (docs/api.md §3), whatever does not answer. */
const CHECK_MS = 900;

/** Redis down: 503. A failing search engine, or a Redis so full that writes are 429, degrades. */
export const health: Route = {
  method: 'GET',
  path: '/health',
  async handle({ store, search, admission, log }, _schemas, _input, { isAuthorized }) {
    const [redis, engine] = await Promise.all([
      stateOf('redis', store.health(), log),
      stateOf('search', search.check(), log),
    ]);
    const isDegraded = engine === 'down' || admission.isMemoryFull;
    const status = redis === 'down' ? 'down' : isDegraded ? 'degraded' : 'ok';
    // What lies behind it is for those who carry the token (docs/api.md §1).
    const body = isAuthorized() ? { status, checks: { redis, search: engine } } : { status };
    return { status: redis === 'down' ? 503 : 200, body };
  },
};

/** What does not answer in time is down; its answer, when it comes, interests nobody any more. */
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
