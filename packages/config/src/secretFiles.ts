import { readFileSync } from 'node:fs';
import { ConfigError } from './configError.ts';

/** Settings that may come from a file: `API_TOKEN_FILE=/run/secrets/token` (decision 64). */
const FROM_FILE = ['API_TOKEN', 'BOARD_TOKEN', 'MEILI_API_KEY', 'REDIS_URL'];

/** Why a file cannot be read: ENOENT, EACCES, EISDIR. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/**
 * The variables, with what the files say whose names stand in `…_FILE`. One line end at the end of a file is no part of
 * its secret.
 * @throws ConfigError for a file that cannot be read or is empty, and for a setting that is given twice
 */
export function withSecretsFromFiles(env: Record<string, string | undefined>): Record<string, string | undefined> {
  const given = { ...env };
  for (const name of FROM_FILE) {
    const file = env[`${name}_FILE`];
    if (!file) continue;
    if (env[name]) throw new ConfigError(`${name}_FILE: ${name} is set as well; set only one of them`);
    const secret = readFile(`${name}_FILE`, file).replace(/\r?\n$/, '');
    // An empty file must not open what a token was meant to close.
    if (secret === '') throw new ConfigError(`${name}_FILE=${file}: the file is empty; write the secret into it`);
    given[name] = secret;
  }
  return given;
}

/** @throws ConfigError naming the variable and the reason */
export function readFile(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${variable}=${file}: the file cannot be read (${reasonOf(error)})`);
  }
}
