/** What GET /health looks at (docs/api.md §3). */
export const HEALTH_CHECKS = [
  'redis',
  'redis_settings',
  'memory',
  'workers',
  'lanes',
  'indexer',
  'search',
  'backlog',
  'dead_letters',
] as const;

export type HealthCheckName = (typeof HEALTH_CHECKS)[number];

/** One check, in words. `unknown`: it cannot be looked at now. */
export interface HealthCheck {
  status: 'ok' | 'degraded' | 'down' | 'unknown';
  /** what is wrong; absent if nothing is */
  message?: string;
  /** what to do about it */
  fix?: string;
}

export type HealthChecks = Record<HealthCheckName, HealthCheck>;

/** GET /health: `down` (503) if Redis does not answer, `degraded` if any other check finds something. */
export interface HealthAnswer {
  status: 'ok' | 'degraded' | 'down';
  /** only for those who carry the token */
  checks?: HealthChecks;
}
