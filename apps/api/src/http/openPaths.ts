/** For probes and load balancers: served without a token and under any host name (docs/api.md §1). */
const EXEMPT = new Set(['/health', '/livez', '/readyz']);

/** Whether a path is served under any host name, and to pages of any origin. */
export const isExempt = (path: string): boolean => EXEMPT.has(path);

/** Whether a path is served without a token: probes, and the description of the API, which is the same for everybody. */
export const isWithoutToken = (path: string): boolean =>
  EXEMPT.has(path) || path === '/openapi.json' || path === '/docs' || path.startsWith('/docs/');
