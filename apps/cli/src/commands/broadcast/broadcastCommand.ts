import type { RuyiClient } from '@ruyi/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { openApi } from '../../api.ts';
import { examplesText } from '../../examples.ts';
import { count, printable, time } from '../../terminal/formats.ts';
import { coloursOf, table } from '../../terminal/table.ts';
import { broadcastOptions, type GivenOptions, planOf } from './broadcastOptions.ts';
import { INTERRUPTED, Interrupted, onInterrupt } from './interrupt.ts';
import { noProgress, progressView } from './progress.ts';
import { sendBroadcast } from './sendBroadcast.ts';
import { exitCodeOf, printReport, watch } from './watch.ts';

type Finish = (code: number) => void;

const STATES = ['open', 'scheduled', 'running', 'paused', 'done', 'cancelled', 'failed'] as const;
const PAGE = 50;

const EXIT_CODES = `
Exit codes: 0 done, 1 some failed, 2 wrong options, 3 cancelled, 130 interrupted (what was started goes on).
It talks to the API at RUYI_URL, with API_TOKEN.`;

/** Adds `ruyi broadcast` and what belongs to it. */
export function addBroadcast(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  const command = program
    .command('broadcast')
    .description('send one message to any number of recipients, and watch over it')
    .enablePositionalOptions()
    .configureHelp({
      optionDescription: ({ description }) => description,
      subcommandTerm: (one) => `${one.name()} ${one.usage()}`,
    })
    .usage('[options] | <command>');
  for (const option of broadcastOptions()) command.addOption(option);
  command.addHelpText(
    'after',
    examplesText([
      ["ruyi broadcast --uids users.txt --from news --text 'Hello'", 'shows what it takes, asks, sends, watches'],
      ['ruyi broadcast --uids users.txt --resume', 'goes on after a crash or Ctrl-C'],
      ["… | ruyi broadcast --uids - --yes --text 'Hello'", 'recipients of another program'],
      ['ruyi broadcast --all-users --rate 5000 --at +2h --yes --json \'{"type":1}\'', 'later, and not too fast'],
      ['ruyi broadcast failures <no>', 'who did not get it, and why'],
    ]) + EXIT_CODES,
  );
  command.action(async (given: GivenOptions) => finish(await sendBroadcast(() => openApi(env), planOf(given))));
  addList(command, env, finish);
  addLooks(command, env, finish);
  addSteps(command, env, finish);
}

const asJson = () => new Option('--json', 'print the answer as JSON');

function addList(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  command
    .command('list')
    .description('the broadcasts, newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .option('--from <uid>', 'only those of this sender')
    .addOption(new Option('--limit <n>', 'at most so many').default(PAGE).argParser(limitOf))
    .addOption(asJson())
    .addHelpText('after', examplesText([['ruyi broadcast list --state running', 'what is being sent now']]))
    .action(async (given: { state?: (typeof STATES)[number]; from?: string; limit: number; json?: true }) => {
      const client = await openApi(env);
      const { state, from, limit } = given;
      const query = { ...(state ? { state } : {}), ...(from === undefined ? {} : { from_uid: from }), limit };
      const { broadcasts } = await client.broadcasts(query);
      const colours = coloursOf(process.stdout, env);
      const rows = broadcasts.map((one) => [
        one.broadcast_no,
        one.state,
        count(one.total),
        count(one.stored),
        count(one.failed),
        time(one.created_at),
        printable(one.from_uid),
        printable(one.name),
      ]);
      const head = ['number', 'state', 'total', 'stored', 'failed', 'created', 'from', 'name'];
      process.stdout.write(given.json ? `${JSON.stringify(broadcasts)}\n` : table(head, rows, colours.bold));
      finish(0);
    });
}

function limitOf(text: string): number {
  const n = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (n >= 1 && n <= 1000) return n;
  throw new InvalidArgumentError('It must be a whole number from 1 to 1000.');
}

function addLooks(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  command
    .command('show')
    .argument('<no>')
    .description('where a broadcast stands')
    .addOption(asJson())
    .addHelpText('after', examplesText([['ruyi broadcast show 2k9f3', 'one line, or all numbers with --json']]))
    .action(async (broadcast_no: string, { json }: { json?: true }) => {
      const client = await openApi(env);
      printReport(await client.broadcastReport({ broadcast_no }), json === true);
      finish(0);
    });
  command
    .command('watch')
    .argument('<no>')
    .description('show a broadcast until it is finished; Ctrl-C only stops watching')
    .addOption(asJson())
    .addHelpText('after', examplesText([['ruyi broadcast watch 2k9f3', 'exits as "ruyi broadcast" does']]))
    .action(async (broadcast_no: string, { json }: { json?: true }) => {
      finish(await watchToEnd(await openApi(env), broadcast_no, json === true));
    });
  command
    .command('failures')
    .argument('<no>')
    .description('who did not get it, and why')
    .addOption(asJson())
    .addHelpText('after', examplesText([['ruyi broadcast failures 2k9f3 | cut -f1', 'their uids']]))
    .action(async (broadcast_no: string, { json }: { json?: true }) => {
      const client = await openApi(env);
      for await (const failure of await client.broadcastFailures({ broadcast_no })) {
        const { uid, reason, code, at } = failure;
        const line = json ? JSON.stringify(failure) : [uid, code, time(at), reason].map(printable).join('\t');
        if (!process.stdout.write(`${line}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
      }
      finish(0);
    });
}

type Step = 'pauseBroadcast' | 'resumeBroadcast' | 'cancelBroadcast' | 'retryBroadcast';

const STEPS: { name: string; step: Step; description: string }[] = [
  { name: 'pause', step: 'pauseBroadcast', description: 'send no more until it is resumed' },
  { name: 'resume', step: 'resumeBroadcast', description: 'go on with a paused broadcast' },
  { name: 'cancel', step: 'cancelBroadcast', description: 'send no more, ever; who has it keeps it' },
  { name: 'retry', step: 'retryBroadcast', description: 'try again for those who failed' },
];

function addSteps(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  for (const { name, step, description } of STEPS) {
    command
      .command(name)
      .argument('<no>')
      .description(description)
      .addOption(asJson())
      .addHelpText('after', examplesText([[`ruyi broadcast ${name} 2k9f3`, 'may be repeated']]))
      .action(async (broadcast_no: string, { json }: { json?: true }) => {
        const client = await openApi(env);
        printReport(await client[step]({ broadcast_no }), json === true);
        finish(0);
      });
  }
}

async function watchToEnd(client: RuyiClient, broadcast_no: string, isJson: boolean): Promise<number> {
  const interrupt = onInterrupt();
  try {
    const view = isJson ? noProgress : progressView(process.stdout);
    const last = await watch(client, broadcast_no, { view, signal: interrupt.signal });
    printReport(last, isJson);
    return exitCodeOf(last);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.stderr.write('it goes on\n');
    return INTERRUPTED;
  } finally {
    interrupt.close();
  }
}
