import { RuyiError } from '@ruyi/client';
import { ConfigError } from '@ruyi/config';
import { lineFor, StartError } from '@ruyi/process';
import { UsageError } from './usageError.ts';

/** What a failed command says on stderr, and its exit code: 2 for a wrong value, 1 otherwise. */
export async function oneLineOf(error: unknown): Promise<{ line: string; code: number }> {
  if (error instanceof UsageError) return { line: error.message, code: 2 };
  if (error instanceof RuyiError) return { line: apiLine(error), code: error.code === 'invalid_request' ? 2 : 1 };
  const speaksForItself = error instanceof ConfigError || error instanceof StartError;
  return { line: lineFor(error, speaksForItself ? [ConfigError] : await errorsOfRedis(), 'ruyi'), code: 1 };
}

/** They are loaded only now, because most commands that fail have not needed Redis. */
async function errorsOfRedis() {
  const [{ RedisRefusal }, { InstallationError, LineError }] = await Promise.all([
    import('@ruyi/redis'),
    import('@ruyi/store'),
  ]);
  return [InstallationError, LineError, RedisRefusal];
}

function apiLine({ code, message }: RuyiError): string {
  if (code === 'unauthorized')
    return 'API_TOKEN: the API does not take it; set the token that the API was started with';
  return message.replace(/\s+/g, ' ');
}
