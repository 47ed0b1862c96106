import { DEAD_QUEUE } from '@ruyi/queue';
import type { Logger } from '@ruyi/telemetry';
import type { RequestHandler } from 'express';

/** One job of `dead`, or all that failed. `retry` is no job's id: with it the path would be another route's. */
const RETRY = new RegExp(`^/api/queues/${DEAD_QUEUE.name}/(?:retry/failed|(?!retry/)[^/]+/retry)$`);

/**
 * Lets reads through, and a retry on `dead`; refuses all else before Bull Board sees it. A list of what is allowed: its
 * own switches know no "retries only", and a new version may bring a new route that changes something.
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
      message: 'the board only shows; dead jobs can be retried',
    });
  };
}
