import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { type Config, parseRedisAddress, type RedisAddress } from '@ruyi/config';
import type { RedisOptions } from 'ioredis';
import { RedisRefusal } from './refusal.ts';

/** What a connection needs to know of the settings. */
export type RedisSettings = Pick<Config, 'redisUrl'> & Partial<Pick<Config, TlsFile>>;

type TlsFile = 'redisCaFile' | 'redisCertFile' | 'redisKeyFile';

/** ioredis types the reply mapping by the constructor's argument, which is always the default here. */
export type Options = Omit<RedisOptions, 'replyMapping'>;

/** @throws RedisRefusal if there is no address */
export function addressOf({ redisUrl }: RedisSettings): RedisAddress {
  if (redisUrl === '') {
    throw new RedisRefusal('REDIS_URL: set the address of Redis (npm start sets it for its own redis-server)');
  }
  return parseRedisAddress(redisUrl);
}

/**
 * Where to connect, and as whom, in ioredis' terms.
 * @throws RedisRefusal for a file of TLS that is gone
 */
export function optionsOf(settings: RedisSettings): Options {
  const address = addressOf(settings);
  const login = loginOf(address);
  switch (address.kind) {
    case 'tcp': {
      const { host, port, db, tls } = address;
      return { host, port, db, ...login, ...(tls ? { tls: tlsOptions(settings) } : {}) };
    }
    case 'unix':
      return { path: address.path, db: address.db, ...login };
    case 'sentinel': {
      const { sentinels, name, db } = address;
      return { sentinels, name, db, ...login };
    }
    case 'cluster':
      // What every node has in common; where they are is for connectCluster.
      return { ...login, ...(address.tls ? { tls: tlsOptions(settings) } : {}) };
  }
}

const loginOf = ({ username, password }: RedisAddress): Options => ({
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password }),
});

/** @throws RedisRefusal if a file cannot be read */
export function tlsOptions(settings: RedisSettings): Pick<ConnectionOptions, 'ca' | 'cert' | 'key'> {
  const { redisCaFile, redisCertFile, redisKeyFile } = settings;
  return {
    ...(redisCaFile ? { ca: read('REDIS_CA_FILE', redisCaFile) } : {}),
    ...(redisCertFile ? { cert: read('REDIS_CERT_FILE', redisCertFile) } : {}),
    ...(redisKeyFile ? { key: read('REDIS_KEY_FILE', redisKeyFile) } : {}),
  };
}

function read(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new RedisRefusal(`${variable}=${file}: the file cannot be read`);
  }
}
