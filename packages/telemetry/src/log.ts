import { type Logger, pino } from 'pino';
import { errorFields } from './errorFields.ts';

export type { Logger };

/**
 * Structured JSON logs on stdout, one line an event. Events are named by a short message; payloads and tokens are never
 * logged, and the redaction is the second net for fields that could carry one.
 */
export function createLog(service: string, level: string): Logger {
  return pino({
    name: service,
    level,
    redact: { paths: ['*.token', '*.payload', '*.apiKey', '*.password', 'token', 'payload'], censor: '…' },
    serializers: { err: errorFields },
  });
}
