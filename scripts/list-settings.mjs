// Lists every setting with its default, as a Markdown table. Needs a build.
// usage: node scripts/list-settings.mjs           prints the table
//        node scripts/list-settings.mjs --write   puts it into docs/configuration.md, between the two marks
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { markdownTable, writeTable } from './markedTable.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { rows, settings } = await import(pathToFileURL(join(root, 'packages/config/dist/settings.js')).href);
const defaults = settings.parse({});

/** The default in the form of the variable; sizes also in MiB or KiB. */
function shown(name, value) {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value !== 'number') return value;
  if (!name.endsWith('_BYTES')) return String(value);
  return `${value} (${value >= 1024 ** 2 ? `${value / 1024 ** 2} MiB` : `${value / 1024} KiB`})`;
}

const lines = [...rows].map(([field, { name, text, fallback }]) => [
  `\`${name}\``,
  fallback ?? shown(name, defaults[field]),
  text,
]);
const table = markdownTable([['name', 'default', ''], ...lines]);
if (process.argv[2] === '--write') writeTable(join(root, 'docs/configuration.md'), 'settings', table);
else process.stdout.write(table);
