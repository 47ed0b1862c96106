import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { openApi } from '../../api.ts';
import { examplesText } from '../../examples.ts';
import { bytes, count, duration, printable } from '../../terminal/formats.ts';
import { coloursOf, table } from '../../terminal/table.ts';
import { Interrupted, onInterrupt } from '../broadcast/interrupt.ts';
import { reportLine } from '../broadcast/progress.ts';
import { type Sample, Sampler } from './sample.ts';

const EVERY_MS = 1000;
const HOME_AND_CLEAR = '\x1b[H\x1b[J';

type Colours = ReturnType<typeof coloursOf>;

/** Adds `ruyi top`. */
export function addTop(program: Command, env: NodeJS.ProcessEnv, finish: (code: number) => void): void {
  program
    .command('top')
    .description('throughput, lanes, broadcasts and memory, once a second; Ctrl-C ends it')
    .addOption(new Option('--once', 'look once'))
    .addOption(new Option('--json', 'a line of JSON for each look'))
    .addHelpText(
      'after',
      `${examplesText([
        ['ruyi top', 'on a terminal it stays in place'],
        ['ruyi top --once --json', 'for programs'],
      ])}\nIt talks to the API at RUYI_URL, with API_TOKEN.`,
    )
    .action(async (options: { once?: true; json?: true }) => finish(await top(env, options)));
}

/** @returns the exit code: Ctrl-C is how it is meant to end */
async function top(env: NodeJS.ProcessEnv, { once, json }: { once?: true; json?: true }): Promise<number> {
  const sampler = new Sampler(await openApi(env));
  const colours = coloursOf(process.stdout, env);
  const interrupt = onInterrupt();
  const { signal } = interrupt;
  try {
    for (;;) {
      const sample = await sampler.look(signal);
      const isPainted = process.stdout.isTTY === true && !once && !json;
      const text = json ? `${JSON.stringify(sample)}\n` : pageOf(sample, colours);
      process.stdout.write(isPainted ? HOME_AND_CLEAR + text : text);
      if (once) return 0;
      await delay(EVERY_MS, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted && signal.reason instanceof Interrupted) return 0;
    throw error;
  } finally {
    interrupt.close();
  }
}

/** What `ruyi top` shows on a terminal. */
export function pageOf(
  { at, stored_per_second: rate, lanes, index, redis, broadcasts }: Sample,
  colours: Colours,
): string {
  const age = (oldest: number | null) => (oldest === null ? '-' : duration(at - oldest));
  const stored = rate ? `${count(rate.send ?? 0)} messages/s, ${count(rate.fanout ?? 0)} recipients/s` : 'counting …';
  const memory = redis.map(
    ({ node, memory_bytes: used, memory_max_bytes: max }) =>
      `${printable(node)} ${bytes(used)}${max > 0 ? ` of ${bytes(max)} (${Math.round((used / max) * 100)} %)` : ''}`,
  );
  const rows = [...lanes, { name: 'index', worker: '', ...index }].map(
    ({ name, worker, jobs, backlog, oldest_job_at }) => [
      name,
      worker ?? colours.red('nobody'),
      count(jobs),
      count(backlog),
      age(oldest_job_at),
    ],
  );
  const running = broadcasts.map(
    (one) => `${one.broadcast_no}${one.name === '' ? '' : ` "${printable(one.name)}"`} ${reportLine(one)}`,
  );
  return [
    `${colours.bold('stored')}  ${stored}`,
    `${colours.bold('redis')}   ${memory.join(', ')}`,
    '',
    table(['lane', 'worker', 'jobs', 'recipients', 'oldest job'], rows, colours.bold),
    colours.bold('broadcasts'),
    ...(running.length > 0 ? running : ['none is running']),
    '',
  ].join('\n');
}
