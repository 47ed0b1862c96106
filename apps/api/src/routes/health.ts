import { SearchUnavailableError } from '@ruyi/search';
import type { Route } from '../http/route.ts';

/** Redis down: 503. A failing search engine degrades: sending and syncing go on. */
export const health: Route = {
  method: 'GET',
  path: '/health',
  open: true,
  async handle({ store, search, log }) {
    const failed = (what: string) => (err: unknown) => {
      if (!(err instanceof SearchUnavailableError)) log.warn({ err }, `${what} check failed`);
      return 'down' as const;
    };
    const [redis, engine] = await Promise.all([
      store.redis.ping().then(() => 'ok' as const, failed('redis')),
      search.check().then(() => 'ok' as const, failed('search')),
    ]);
    const status = redis === 'down' ? 'down' : engine === 'down' ? 'degraded' : 'ok';
    return { status: redis === 'down' ? 503 : 200, body: { status, checks: { redis, search: engine } } };
  },
};
