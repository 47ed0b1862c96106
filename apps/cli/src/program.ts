import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { addBroadcast } from './commands/broadcast/broadcastCommand.ts';
import { addDead } from './commands/dead/deadCommand.ts';
import { doctor } from './commands/doctor/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { lanes } from './commands/lanes.ts';
import { memory } from './commands/memory.ts';
import { reindex } from './commands/reindex.ts';
import { search } from './commands/search.ts';
import { status } from './commands/status.ts';
import { addTop } from './commands/top/topCommand.ts';
import type { AppName } from './commands/up/up.ts';
import { examplesText } from './examples.ts';

/** A command that reads its own arguments. */
interface PlainCommand {
  name: string;
  usage: string;
  summary: string;
  /** what `--help` shows besides */
  examples: [command: string, what: string][];
  /** @returns the exit code */
  run(args: string[], env: NodeJS.ProcessEnv): Promise<number>;
}

/** The other apps, compiled beside this one. */
const entry = (app: AppName) => fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url));

const COMMANDS: PlainCommand[] = [
  {
    name: 'up',
    usage: '',
    summary: 'run everything in the foreground: Redis, workers, indexer, API, board',
    examples: [['WORKERS=2 ruyi up', 'with two workers']],
    run: up,
  },
  {
    name: 'status',
    usage: '[--json]',
    summary: "the processes that live, their lanes, what waits on these, Redis' memory",
    examples: [
      ['ruyi status', 'a table'],
      ['ruyi status --json', 'the same for programs'],
    ],
    run: status,
  },
  {
    name: 'doctor',
    usage: '[--json]',
    summary: 'looks at everything that an installation needs, and says what to do about what is wrong',
    examples: [
      ['ruyi doctor', 'a line for each thing: ok, warn or fail; exit code 1 if one fails'],
      ['ruyi doctor --json', 'the same for programs'],
    ],
    run: doctor,
  },
  {
    name: 'lanes',
    usage: '[<n>] [--json]',
    summary: 'the lanes and who works them, or another number of them while everything runs',
    examples: [
      ['ruyi lanes', 'a table'],
      ['ruyi lanes 16', 'sixteen of each kind; Ctrl-C only stops watching'],
    ],
    run: lanes,
  },
  {
    name: 'memory',
    usage: '[--json] [--seconds <n> | --exact] [--retention <n>] [--max-age <s>]',
    summary: "what takes Redis' memory, and what a bound of the logs would free",
    examples: [
      ['ruyi memory', 'an estimate, in a few seconds'],
      ['ruyi memory --max-age 2592000', 'what a LOG_MAX_AGE of 30 days would free'],
    ],
    run: memory,
  },
  {
    name: 'search',
    usage: '--uid <uid> [--channel <id>] [--type <n>] [--from <uid>] [--limit <n>] [--json] <text>',
    summary: 'what this user finds',
    examples: [['ruyi search --uid u42 北京', "the messages with 北京 that u42's client finds"]],
    run: search,
  },
  {
    name: 'reindex',
    usage: '[--json]',
    summary: 'rebuild the search index from Redis while the old one serves',
    examples: [['ruyi reindex', 'Ctrl-C only stops watching']],
    run: reindex,
  },
  {
    name: 'export',
    usage: '[--channel <id> --type <n> [--login-uid <uid>]] [--out <file>]',
    summary: 'write everything, or one channel, as JSON lines',
    examples: [
      ['ruyi export --out everything.ndjson', 'into a new file'],
      ['ruyi export | gzip > everything.ndjson.gz', 'stop the API first to move an installation (docs/backup.md)'],
      ['ruyi export --channel bob --type 1 --login-uid ann', 'the conversation of ann and bob'],
    ],
    run: exportCommand,
  },
  {
    name: 'import',
    usage: '[--json] <file> | -',
    summary: 'import that into an installation without data, all of whose processes are stopped',
    examples: [
      ['ruyi import everything.ndjson', 'run again, it goes on where it was interrupted'],
      ['gunzip -c everything.ndjson.gz | ruyi import -', 'from standard input'],
    ],
    run: importCommand,
  },
];

async function up(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.length > 0) {
    process.stderr.write('ruyi up takes no arguments; settings come from the environment\n');
    return 2;
  }
  const { runUp } = await import('./commands/up/runUp.ts');
  return runUp(env, { api: entry('api'), board: entry('board'), worker: entry('worker'), indexer: entry('indexer') });
}

/** The version of Ruyi; all packages have the same one. */
function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

/** Runs `ruyi <args>`. @returns the exit code: 2 for wrong arguments @throws whatever the command throws */
export async function runProgram(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  let exitCode = 0;
  const program = new Command('ruyi')
    .description('Settings come from the environment (docs/configuration.md).')
    .version(version(), '--version', 'show the version')
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .helpCommand('help [command]', 'show the options and examples of a command')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, '')) })
    .exitOverride();
  const finish = (code: number) => {
    exitCode = code;
  };
  for (const command of COMMANDS) addPlain(program, command, env, finish);
  addDead(program, env, finish);
  addBroadcast(program, env, finish);
  addTop(program, env, finish);
  if (args.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return exitCode;
}

function addPlain(
  program: Command,
  { name, usage, summary, examples, run }: PlainCommand,
  env: NodeJS.ProcessEnv,
  finish: (code: number) => void,
): void {
  program
    .command(name)
    .description(summary)
    .usage(usage)
    .argument('[args...]')
    .allowUnknownOption()
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText('after', examplesText(examples))
    .action(async (_, __, { args }: Command) => finish(await run(args, env)));
}
