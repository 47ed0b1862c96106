import type { ExpressAdapter } from '@bull-board/express';
import type { Express } from 'express';

// What the board relies on in Bull Board beyond its documented interface. Each of these is checked in
// test/bullBoard.unit.test.ts, so that an upgrade fails there.

/** The query field with the number of jobs per page. */
export const JOBS_PER_PAGE = 'jobsPerPage';

/**
 * Matches the paths that retry one job of a queue, or all of its failed jobs. No job has the id `retry`: the path would
 * belong to another route.
 */
export const retryPaths = (queueName: string): RegExp =>
  new RegExp(`^/api/queues/${queueName}/(?:retry/failed|(?!retry/)[^/]+/retry)$`);

/** A body whose `message` the page shows. @param key of one of the page's texts, which is the title */
export const errorBody = (key: 'QUEUE_READ_ONLY' | 'INTERNAL_SERVER_ERROR', message: string) => ({
  error: { key: `ERRORS.${key}` },
  message,
});

/** The pages as an Express application, which `getRouter` does not type. */
export function pagesOf(adapter: ExpressAdapter): Express {
  const pages: Express = adapter.getRouter();
  pages.disable('x-powered-by');
  return pages;
}
