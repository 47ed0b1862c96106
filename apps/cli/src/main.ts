import { fileURLToPath } from 'node:url';
import { ConfigError } from '@ruyi/config';
import { lineFor } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, LineError } from '@ruyi/store';
import { deadLetters } from './commands/dead.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { lanes } from './commands/lanes.ts';
import { memory } from './commands/memory.ts';
import { reindex } from './commands/reindex.ts';
import { search } from './commands/search.ts';
import { status } from './commands/status.ts';
import { runUp } from './commands/up/runUp.ts';
import type { AppName } from './commands/up/up.ts';

const HELP = `ruyi <command>

  up                       run everything in the foreground: Redis, workers, indexer, API, board
  status [--json]          the processes that live, their lanes, what waits on these, Redis' memory
  lanes                    show the lanes and who works them
  lanes <n>                change the number of lanes of each kind while everything runs
  memory [--json] [--seconds N | --exact] [--retention N] [--max-age S]
                           what takes Redis' memory, and what a bound of the logs would free
  dead list                show dead letters and their reasons
  dead retry <id> | --all  put one or all of them back on their queues
  search --uid <uid> <text>
                           show what this user finds
  reindex                  rebuild the search index from Redis while the old one serves
  export [--out <file>]    write everything, or one channel, as JSON lines
  import <file>            import that into an installation without data

Settings come from the environment (docs/configuration.md).
`;

/** The other apps, compiled beside this one. */
const entry = (app: AppName) => fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url));

async function main([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case 'up':
      return runUp(process.env, {
        api: entry('api'),
        board: entry('board'),
        worker: entry('worker'),
        indexer: entry('indexer'),
      });
    case 'status':
      return status(rest, process.env);
    case 'lanes':
      return lanes(rest, process.env);
    case 'memory':
      return memory(rest, process.env);
    case 'dead':
      return deadLetters(rest, process.env);
    case 'search':
      return search(rest, process.env);
    case 'reindex':
      return reindex(rest, process.env);
    case 'export':
      return exportCommand(rest, process.env);
    case 'import':
      return importCommand(rest, process.env);
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(HELP);
      return 0;
    default:
      process.stderr.write(`unknown command: ${command}\n\n${HELP}`);
      return 2;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${lineFor(error, [ConfigError, InstallationError, LineError, RedisRefusal], 'ruyi')}\n`);
  process.exitCode = 1;
}
