import { fileURLToPath } from 'node:url';

/**
 * What a search process runs. It is always compiled code, because Node 20 runs no TypeScript. A test that runs from the
 * sources therefore starts the processes of the last build: `npm test` builds first.
 */
export const COMPILED_ENTRY: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/processes/main.js' : './main.js', import.meta.url),
);
