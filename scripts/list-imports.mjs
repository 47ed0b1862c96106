// Lists which package imports which, according to their sources without tests, as a Markdown table.
// usage: node scripts/list-imports.mjs           prints the table
//        node scripts/list-imports.mjs --write   puts it into docs/architecture.md, between the two marks
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable, writeTable } from './markedTable.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)['"]@ruyi\/([a-z]+)/g;

/** The packages that the sources in a folder import, sorted. */
function importsBelow(folder) {
  const files = readdirSync(folder, { recursive: true }).map(String);
  const sources = files
    .filter((name) => /\.[cm]?ts$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  return [...new Set(sources.flatMap((text) => [...text.matchAll(SPECIFIER)].map(([, name]) => name)))].sort();
}

/** Each member of the workspace that has sources, and its imports. */
function members() {
  const inFolder = ['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => ({ label: `${kind}/${name}`, src: join(root, kind, name, 'src') })),
  );
  const tools = ['bench', 'torture'].map((name) => ({ label: name, src: join(root, name, 'src') }));
  return [...inFolder, ...tools]
    .filter(({ src }) => existsSync(src))
    .map(({ label, src }) => ({ label, imports: importsBelow(src) }));
}

/** The table of docs/architecture.md. */
export function importTable() {
  const rows = members().map(({ label, imports }) => [`\`${label}\``, imports.length === 0 ? '–' : imports.join(', ')]);
  return markdownTable([['who', 'imports'], ...rows]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--write') writeTable(join(root, 'docs/architecture.md'), 'imports', importTable());
  else process.stdout.write(importTable());
}
