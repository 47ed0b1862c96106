import type { z } from 'zod';
import { rows, settings } from './settings.ts';

/** An invalid setting; its message is the one line that the operator sees. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

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
  const given = Object.fromEntries([...rows].map(([field, { name }]) => [field, env[name] || undefined]));
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = rows.get(String(issue?.path[0]))?.name ?? '';
    throw new ConfigError(`${name}=${shown(name, env[name] ?? '')}: ${issue?.message}`);
  }
  const config = parsed.data;
  requireToken('HOST', config.host, 'API_TOKEN', config.apiToken, config.allowAnonymous);
  requireToken('BOARD_HOST', config.boardHost, 'BOARD_TOKEN', config.boardToken, config.allowAnonymous);
  if (config.indexers > 1 && config.meiliUrl === '') {
    throw new ConfigError(
      `INDEXERS=${config.indexers}: the embedded engine has one writer; set MEILI_URL or INDEXERS=1`,
    );
  }
  for (const value of Object.values(config)) Object.freeze(value);
  return Object.freeze(config);
}

/** A value as an error shows it: one short line. Secrets, and addresses that may contain one, are hidden. */
function shown(name: string, value: string): string {
  if (/TOKEN|KEY/.test(name) || (/URL/.test(name) && /[@?]/.test(value))) return '…';
  return value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, SHOWN_CHARACTERS);
}

function requireToken(hostName: string, host: string, tokenName: string, token: string, anonymous: boolean): void {
  if (isLoopback(host) || token !== '' || anonymous) return;
  throw new ConfigError(
    `${hostName}=${shown(hostName, host)}: this address is open to others; set ${tokenName}, or ALLOW_ANONYMOUS=1 if that is intended`,
  );
}
