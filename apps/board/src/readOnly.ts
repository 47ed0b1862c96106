import { DEAD_QUEUE } from '@ruyi/queue';
import type { Logger } from '@ruyi/telemetry';
import type { RequestHandler } from 'express';

/** Retries one job of `dead`, or all of them. No job has the id `retry`: the path would belong to another route. */
const RETRY = new RegExp(`^/api/queues/${DEAD_QUEUE.name}/(?:retry/failed|(?!retry/)[^/]+/retry)$`);

/**
 * Allows reads, and retries on `dead`; refuses everything else before Bull Board sees it. It lists what is allowed, because
 * Bull Board has no switch for "retries only", and a new version may add a route that changes something.
 */
export function readOnlyExceptRetry(log: Logger): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    if (request.method === 'PUT' && RETRY.test(request.path)) {
      log.info({ path: request.path }, 'retry');
      return next();
    }
    response.status(405).set('Allow', 'GET, HEAD');
    response.json({
      error: { key: 'ERRORS.QUEUE_READ_ONLY' },
      message: 'the board is read-only; only dead letters can be retried',
    });
  };
}
