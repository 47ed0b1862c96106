import { RuyiError } from '@ruyi/client';
import { ConfigError } from '@ruyi/config';
import { lineFor } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, LineError } from '@ruyi/store';

/** A command that cannot be meant: a wrong value, or two that exclude each other. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a failed command says on stderr, and its exit code: 2 for a wrong value, 1 otherwise. */
export function oneLineOf(error: unknown): { line: string; code: number } {
  if (error instanceof UsageError) return { line: error.message, code: 2 };
  if (error instanceof RuyiError) return { line: apiLine(error), code: error.code === 'invalid_request' ? 2 : 1 };
  return { line: lineFor(error, [ConfigError, InstallationError, LineError, RedisRefusal], 'ruyi'), code: 1 };
}

function apiLine({ code, message }: RuyiError): string {
  if (code === 'unauthorized')
    return 'API_TOKEN: the API does not take it; set the token that the API was started with';
  return message.replace(/\s+/g, ' ');
}
