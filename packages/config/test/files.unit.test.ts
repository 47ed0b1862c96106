import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError, loadConfig } from '@ruyi/config';
import { tempDir } from '@ruyi/testkit';
import { afterAll, describe, expect, test } from 'vitest';

const folder = tempDir('secrets');
const at = (name: string) => join(folder.path, name);
function file(name: string, text: string): string {
  writeFileSync(at(name), text);
  return at(name);
}
afterAll(folder.remove);

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error instanceof Error ? error.message : '';
  }
  return expect.fail(`${JSON.stringify(env)} was taken`);
}

const SECRETS: [string, keyof Config, string][] = [
  ['API_TOKEN', 'apiToken', 'old,new'],
  ['BOARD_TOKEN', 'boardToken', ' blank '],
  ['MEILI_API_KEY', 'meiliApiKey', 'key'],
  ['REDIS_URL', 'redisUrl', 'redis://:hush@host'],
];

describe.each(SECRETS)('%s_FILE', (name, field, secret) => {
  test.each(['', '\n', '\r\n'])('gives the content of the file without one line end (%j)', (end) => {
    expect(loadConfig({ [`${name}_FILE`]: file(name, `${secret}${end}`) })[field]).toBe(secret);
  });

  test('is refused beside the setting itself, in one line without the secrets', () => {
    const line = refusal({ [`${name}_FILE`]: file(name, secret), [name]: secret });
    expect(line).toBe(`${name}_FILE: ${name} is set as well; set only one of them`);
  });

  test('is refused in one line if the file cannot be read or is empty', () => {
    expect(refusal({ [`${name}_FILE`]: at('none') })).toBe(
      `${name}_FILE=${at('none')}: the file cannot be read (ENOENT)`,
    );
    expect(refusal({ [`${name}_FILE`]: folder.path })).toMatch(/^[^\n]+cannot be read \(EISDIR\)$/);
    expect(refusal({ [`${name}_FILE`]: file('empty', '\n') })).toMatch(/^[^\n]+the file is empty; [^\n]+$/);
  });

  test('counts as unset if it is empty', () => {
    expect(loadConfig({ [`${name}_FILE`]: '', [name]: secret })[field]).toBe(secret);
  });
});

test('an invalid secret of a file is not shown', () => {
  expect(refusal({ REDIS_URL_FILE: file('url', 'ftp://ann:hush@host') })).toMatch(/^REDIS_URL=…: must be redis[^\n]+$/);
  expect(refusal({ API_TOKEN_FILE: file('token', 'hush,') })).toMatch(/^API_TOKEN=…: must be one token[^\n]+$/);
});

describe('the files for TLS', () => {
  const ca = file('ca.pem', 'x');
  const tls = { REDIS_URL: 'rediss://host' };

  test('are taken with rediss://', () => {
    const files = { REDIS_CA_FILE: ca, REDIS_CERT_FILE: ca, REDIS_KEY_FILE: ca };
    expect(loadConfig({ ...tls, ...files })).toMatchObject({ redisCaFile: ca, redisCertFile: ca, redisKeyFile: ca });
    expect(loadConfig({ REDIS_URL: 'rediss+cluster://host', REDIS_CA_FILE: ca }).redisCaFile).toBe(ca);
  });

  test('are refused without TLS: somebody thinks that the connection is safe', () => {
    for (const REDIS_URL of ['', 'redis://host', 'redis+unix:///s', 'redis+sentinel://host/main']) {
      expect(refusal({ REDIS_URL, REDIS_CA_FILE: ca })).toMatch(/^REDIS_CA_FILE: REDIS_URL has no TLS; [^\n]+$/);
    }
  });

  test('are refused if they cannot be read, and a certificate without its key', () => {
    expect(refusal({ ...tls, REDIS_CA_FILE: at('none') })).toMatch(/^REDIS_CA_FILE=.*cannot be read \(ENOENT\)$/);
    expect(refusal({ ...tls, REDIS_CERT_FILE: ca })).toMatch(/^REDIS_CERT_FILE, REDIS_KEY_FILE: [^\n]+$/);
    expect(refusal({ ...tls, REDIS_KEY_FILE: ca })).toMatch(/^REDIS_CERT_FILE, REDIS_KEY_FILE: [^\n]+$/);
  });
});
