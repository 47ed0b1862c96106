import { writeFileSync } from 'node:fs';
import { HELP, type Options, readOptions } from './options.ts';
import { printReport } from './report.ts';
import { torture } from './torture.ts';

const say = (line: string) => console.log(line);

function options(): Options {
  try {
    const read = readOptions(process.argv.slice(2));
    if (read !== 'help') return read;
    say(HELP);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${HELP}`);
    process.exit(1);
  }
}

const chosen = options();
say(`seed ${chosen.seed}`);
const report = await torture(chosen, say);
printReport(report, say);
if (chosen.json !== undefined) writeFileSync(chosen.json, `${JSON.stringify(report, null, 2)}\n`);
process.exit(report.passed ? 0 : 1);
