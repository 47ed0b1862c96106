// Makes the types of @ruyi/client, compiled in the current folder, stand alone: the types of requests and answers are copied from
// packages/contracts, which is not published and whose other types need zod.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of packages/contracts that need no other package. */
const PLAIN = ['broadcastAnswers', 'callerRequests', 'errors', 'health', 'messages', 'status'];

const contracts = join('..', 'contracts', 'dist');
const copies = join('dist', 'contracts');
mkdirSync(copies);
for (const name of PLAIN) {
  const text = readFileSync(join(contracts, `${name}.d.ts`), 'utf8');
  writeFileSync(join(copies, `${name}.d.ts`), text.replace(/(['"]\.\/\w+)\.ts(['"])/g, '$1.js$2'));
}
writeFileSync(join(copies, 'index.d.ts'), PLAIN.map((name) => `export type * from './${name}.js';\n`).join(''));
for (const name of readdirSync('dist').filter((file) => file.endsWith('.d.ts'))) {
  const path = join('dist', name);
  const text = readFileSync(path, 'utf8');
  const standing = text.replaceAll("'@ruyi/contracts'", "'./contracts/index.js'");
  writeFileSync(path, standing.replace(/(['"]\.\/\w+)\.ts(['"])/g, '$1.js$2'));
}
