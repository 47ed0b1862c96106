import { answerLive, answerReady } from '@ruyi/process';
import type { Route } from '../http/route.ts';

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

/** What is wrong and what to do about it, in words; 503 only if Redis does not answer (docs/api.md §3). */
export const health: Route = {
  method: 'GET',
  path: '/health',
  operation: 'health',
  summary: 'How the installation is',
  answer: 'HealthAnswer',
  alsoAnswers: 503,
  async handle(context, _schemas, _input, { isAuthorized }) {
    const { status, checks } = await context.health();
    // Details are only for those who carry the token (docs/api.md §1).
    return { status: status === 'down' ? 503 : 200, body: isAuthorized() ? { status, checks } : { status } };
  },
};
