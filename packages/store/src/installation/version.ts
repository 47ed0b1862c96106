import { readFileSync } from 'node:fs';

/** The version of Ruyi; all packages have the same one. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
