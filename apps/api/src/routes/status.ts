import type { StatusAnswer } from '@ruyi/contracts';
import { installationStatus } from '@ruyi/queue';
import type { Route } from '../http/route.ts';

/** What `ruyi status` shows, for machines (docs/api.md §3). */
export const status: Route = {
  method: 'GET',
  path: '/status',
  operation: 'status',
  summary: 'Processes, lanes, what waits, and the memory of Redis',
  answer: 'StatusAnswer',
  handle: async ({ queues }) => {
    const body: StatusAnswer = await installationStatus(queues.redis);
    return { body };
  },
};
