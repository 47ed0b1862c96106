import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.ts';
import { type Line, printLine, printTable, writeResults } from './report.ts';

const HELP = `npm run bench [-- CASE ...] [--rounds N] [--tiny]
cases: ${Object.keys(cases).join(', ')}; all without a name`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    tiny: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(cases, name));
if (values.help || unknown !== undefined) {
  console.log(unknown === undefined ? HELP : `no case ${unknown}\n${HELP}`);
  process.exit(unknown === undefined ? 0 : 1);
}
const scale = { tiny: values.tiny, rounds: values.tiny ? 1 : Math.max(1, Number(values.rounds)) };
const folder = fileURLToPath(new URL('../results', import.meta.url));
const lines: Line[] = [];
let file = '';
for (const [name, run] of Object.entries(cases)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`${name} …`);
  const measured = await run(scale);
  for (const line of measured) printLine(line);
  lines.push(...measured);
  // Results are kept even if a later case fails.
  if (!scale.tiny) file = writeResults(folder, measured, scale);
}
console.log('');
printTable(lines);
if (file !== '') console.log(`\n${file}`);
