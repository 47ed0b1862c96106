import { LETTER_CODES } from '@ruyi/contracts';
import type { LetterFilter } from '@ruyi/queue';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { examplesText } from '../../examples.ts';
import { count } from '../../terminal/formats.ts';
import { UsageError } from '../../usageError.ts';
import { withDeadLetters } from './connect.ts';
import { groupsText, letterText } from './deadText.ts';
import { retryLetters } from './retryLetters.ts';

type Finish = (code: number) => void;

interface Filter {
  broadcast?: string;
  code?: string;
}

/** Letters of an installation that are meant by an action. */
interface Choice extends Filter {
  all?: true;
  json?: true;
}

const EXIT_CODES = `
Exit codes: 0 done, 1 something could not be done or failed again, 2 wrong options, 130 interrupted.
It talks to Redis at REDIS_URL, or to that of the installation on DATA_DIR.`;

/** Adds `ruyi dead` and what belongs to it. */
export function addDead(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  const command = program
    .command('dead')
    .description('dead letters: what could not be processed, why, and how it is mended')
    .usage('<command>')
    .configureHelp({ subcommandTerm: (one) => `${one.name()} ${one.usage()}` })
    .addHelpText(
      'after',
      examplesText([
        ['ruyi dead list', 'by reason, with keys, recipients and what to do'],
        ['ruyi dead retry --broadcast 2k9f3 --wait', 'tries them again; exit 1 if any failed again'],
        ['ruyi dead export --code wrong_type', 'who was not reached, a line of JSON each'],
      ]) + EXIT_CODES,
    );
  addList(command, env, finish);
  addShow(command, env, finish);
  addRetry(command, env, finish);
  addExport(command, env, finish);
  addDrop(command, env, finish);
}

const ofBroadcast = () => new Option('--broadcast <no>', 'only those of this broadcast or batch');
const ofCode = () => new Option('--code <code>', 'only those with this reason').choices(LETTER_CODES);
const asJson = (what: string) => new Option('--json', what);

const filterOf = ({ broadcast, code }: Filter): LetterFilter => ({
  ...(broadcast === undefined ? {} : { broadcast }),
  ...(code === undefined ? {} : { code }),
});

function addList(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  command
    .command('list')
    .description('dead letters with equal reasons together')
    .addOption(ofBroadcast())
    .addOption(ofCode())
    .addOption(asJson('a line of JSON for each letter'))
    .addHelpText('after', examplesText([['ruyi dead list --json | jq -r .id', 'the ids of all']]))
    .action(async (given: Filter & { json?: true }) => {
      await withDeadLetters(env, async (dead) => {
        if (given.json) for await (const letter of dead.each(filterOf(given))) await printLine(letter);
        else process.stdout.write(groupsText(await dead.groups(filterOf(given))));
      });
      finish(0);
    });
}

const MOST_UIDS = 100_000;

function uidsOf(text: string): number {
  const n = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (n >= 0 && n <= MOST_UIDS) return n;
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${MOST_UIDS}.`);
}

function addShow(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  command
    .command('show')
    .argument('<id>')
    .description('one letter, and what its keys hold now')
    .addOption(new Option('--uids <n>', 'name so many recipients of each reason').default(20).argParser(uidsOf))
    .addOption(asJson('the letter as JSON'))
    .addHelpText('after', examplesText([['ruyi dead show dead-2k9f3.0.0.2000-7', 'the id is one of `ruyi dead list`']]))
    .action(async (id: string, { uids, json }: { uids: number; json?: true }) => {
      const letter = await withDeadLetters(env, (dead) => dead.show(id, uids));
      if (letter) process.stdout.write(json ? `${JSON.stringify(letter)}\n` : letterText(letter));
      else process.stderr.write(`${id}: no dead letter has this id\n`);
      finish(letter ? 0 : 1);
    });
}

/** @throws UsageError unless it is said which letters are meant */
function checkChoice(ids: string[], { broadcast, code, all }: Choice): void {
  const isFilter = broadcast !== undefined || code !== undefined;
  const ways = [ids.length > 0, isFilter, all === true].filter(Boolean).length;
  if (ways !== 1) throw new UsageError('say which letters: their ids, or --broadcast and --code, or --all');
}

const addChoice = (command: Command): Command =>
  command
    .argument('[ids...]')
    .addOption(ofBroadcast())
    .addOption(ofCode())
    .addOption(new Option('--all', 'every dead letter'))
    .addOption(asJson('the counts as JSON'));

function addRetry(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  addChoice(command.command('retry'))
    .description('try them again; a letter that fails again keeps its id')
    .addOption(new Option('--wait', 'until it is known how that ended'))
    .addHelpText('after', examplesText([['ruyi dead retry --all --wait', 'exit 1 if any failed again']]))
    .action(async (ids: string[], given: Choice & { wait?: true }) => {
      checkChoice(ids, given);
      const options = { wait: given.wait === true, json: given.json === true };
      const chosen = ids.length > 0 ? ids : filterOf(given);
      finish(await withDeadLetters(env, (dead, redis) => retryLetters(dead, redis, chosen, options)));
    });
}

function addExport(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  command
    .command('export')
    .description('who was not reached, a line of JSON each')
    .addOption(ofBroadcast())
    .addOption(ofCode())
    .addHelpText('after', examplesText([['ruyi dead export --broadcast 2k9f3 > failed.ndjson', 'its recipients']]))
    .action(async (given: Filter) => {
      await withDeadLetters(env, async (dead) => {
        for await (const line of dead.lines(filterOf(given))) await printLine(line);
      });
      finish(0);
    });
}

function addDrop(command: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  addChoice(command.command('drop'))
    .description('forget them; who was not reached stays counted as failed')
    .addOption(new Option('--yes', 'without it nothing is dropped'))
    .addHelpText('after', examplesText([['ruyi dead drop --broadcast 2k9f3 --yes', 'export them before']]))
    .action(async (ids: string[], given: Choice & { yes?: true }) => {
      checkChoice(ids, given);
      if (!given.yes) throw new UsageError('nothing was dropped: what is dropped cannot be tried again; say --yes');
      const chosen = ids.length > 0 ? ids : filterOf(given);
      const { dropped, unknown } = await withDeadLetters(env, async (dead) => {
        const unknown: string[] = [];
        let dropped = 0;
        for await (const id of Array.isArray(chosen) ? chosen : dead.ids(chosen)) {
          if (await dead.drop(id)) dropped++;
          else unknown.push(id);
        }
        return { dropped, unknown: Array.isArray(chosen) ? unknown : [] };
      });
      for (const id of unknown) process.stderr.write(`${id}: no dead letter has this id\n`);
      process.stdout.write(given.json ? `{"dropped":${dropped}}\n` : `${count(dropped)} dropped\n`);
      finish(unknown.length > 0 ? 1 : 0);
    });
}

async function printLine(value: object): Promise<void> {
  if (process.stdout.write(`${JSON.stringify(value)}\n`)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}
