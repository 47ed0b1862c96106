import type { z } from 'zod';
import { ConfigError } from './configError.ts';
import { parseRedisAddress } from './redisAddress.ts';
import { readFile, withSecretsFromFiles } from './secretFiles.ts';
import { rows, settings } from './settings.ts';

export { ConfigError } from './configError.ts';
export {
  type Endpoint,
  parseRedisAddress,
  type RedisAddress,
  RedisAddressError,
  shownAddress,
} from './redisAddress.ts';
export { tokensOf } from './settings.ts';

/** Every setting, typed and frozen. */
export type Config = Readonly<z.output<typeof settings>>;

const SHOWN_CHARACTERS = 100;

/** Whether only this machine can reach an address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Reads the environment once (docs/configuration.md). An empty variable counts as unset.
 * @throws ConfigError naming the variable, its rule and, unless it is a secret, the value
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const values = withSecretsFromFiles(env);
  const given = Object.fromEntries([...rows].map(([field, { name }]) => [field, values[name] || undefined]));
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = rows.get(String(issue?.path[0]))?.name ?? '';
    throw new ConfigError(`${name}=${shown(name, values[name] ?? '')}: ${issue?.message}`);
  }
  const config = parsed.data;
  requireToken('HOST', config.host, 'API_TOKEN', config.apiToken, config.allowAnonymous);
  requireToken('BOARD_HOST', config.boardHost, 'BOARD_TOKEN', config.boardToken, config.allowAnonymous);
  if (config.indexers > 1 && config.meiliUrl === '') {
    throw new ConfigError(
      `INDEXERS=${config.indexers}: the embedded engine has one writer; set MEILI_URL or INDEXERS=1`,
    );
  }
  checkTlsFiles(config);
  for (const value of Object.values(config)) Object.freeze(value);
  return Object.freeze(config);
}

/** A value as an error shows it: one short line. Secrets, and addresses that may contain one, are hidden. */
function shown(name: string, value: string): string {
  if (/TOKEN|KEY/.test(name) || (/URL|ENDPOINT/.test(name) && /[@?]/.test(value))) return '…';
  return value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, SHOWN_CHARACTERS);
}

/** What REDIS_CA_FILE and its two companions need: an address with TLS, each other, and files that can be read. */
function checkTlsFiles({ redisUrl, redisCaFile, redisCertFile, redisKeyFile }: Config): void {
  const files = { REDIS_CA_FILE: redisCaFile, REDIS_CERT_FILE: redisCertFile, REDIS_KEY_FILE: redisKeyFile };
  const given = Object.entries(files).filter(([, file]) => file !== '');
  for (const [name, file] of given) readFile(name, file);
  const [first] = given;
  if (first !== undefined && !isTls(redisUrl)) {
    throw new ConfigError(`${first[0]}: REDIS_URL has no TLS; make it rediss:// or unset ${first[0]}`);
  }
  if ((redisCertFile === '') !== (redisKeyFile === '')) {
    throw new ConfigError('REDIS_CERT_FILE, REDIS_KEY_FILE: one is of no use without the other; set both or none');
  }
}

function isTls(redisUrl: string): boolean {
  if (redisUrl === '') return false;
  const address = parseRedisAddress(redisUrl);
  return 'tls' in address && address.tls;
}

function requireToken(hostName: string, host: string, tokenName: string, token: string, anonymous: boolean): void {
  if (isLoopback(host) || token !== '' || anonymous) return;
  throw new ConfigError(
    `${hostName}=${shown(hostName, host)}: this address is open to others; set ${tokenName}, or ALLOW_ANONYMOUS=1 if that is intended`,
  );
}
