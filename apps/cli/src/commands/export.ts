import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Config } from '@ruyi/config';
import { oneLine, StartError } from '@ruyi/process';
import type { RedisClient } from '@ruyi/redis';
import type { Line, LogName } from '@ruyi/store';
import { writeLines } from './transfer/lineStream.ts';
import { listOf, progressLine } from './transfer/progressLine.ts';

const USAGE = 'ruyi export [--channel <channel_id> --type <channel_type> [--login-uid <uid>]] [--out <file>]';

type Wanted = { out?: string; channel?: LogName };

const warn = (line: string) => void process.stderr.write(`${line}\n`);

/** `ruyi export` (program.ts has its help). @returns the exit code */
export async function exportCommand(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const wanted = wantedOf(args);
  if (typeof wanted === 'string') {
    warn(`${wanted}\n\n${USAGE}`);
    return 2;
  }
  const { withRedis } = await import('./transfer/withRedis.ts');
  return withRedis({ env, create: false, say: warn }, (config, redis) => exportTo(wanted, config, redis));
}

/** @returns what is wrong with the arguments, if something is */
function wantedOf(args: string[]): Wanted | string {
  try {
    const text = { type: 'string' } as const;
    const options = { channel: text, type: text, 'login-uid': text, out: text } as const;
    const { values } = parseArgs({ args, options });
    const out = values.out === undefined ? {} : { out: values.out };
    const { channel: channel_id, type, 'login-uid': login_uid } = values;
    if (channel_id === undefined && type === undefined && login_uid === undefined) return out;
    if (channel_id === undefined || type === undefined) return 'one channel needs both --channel and --type';
    if (!/^[1-9]\d{0,2}$/.test(type) || Number(type) > 255)
      return `--type ${type}: must be a whole number from 1 to 255`;
    if ((type === '1') !== (login_uid !== undefined)) return 'a channel of type 1, and no other, needs --login-uid';
    return { ...out, channel: { channel_id, channel_type: Number(type), login_uid } };
  } catch (error) {
    return oneLine(error);
  }
}

async function exportTo({ out, channel }: Wanted, config: Config, redis: RedisClient): Promise<number> {
  const [{ waitingJobs }, { createStore, exportChannel, exportEverything, keys, shardsOfInstallation }] =
    await Promise.all([import('./transfer/waitingJobs.ts'), import('@ruyi/store')]);
  if ((await redis.hexists(keys.meta, 'shards')) === 0) {
    throw new StartError('nothing is stored in this Redis yet: there is nothing to export');
  }
  const store = createStore(redis, { ...config, shards: await shardsOfInstallation(redis, config) });
  const waiting = await waitingJobs(redis);
  if (waiting > 0) warn(`${waiting} jobs wait or are dead letters; they are not part of the export`);
  const lost = new AbortController();
  store.onConnectionLost(() => lost.abort(new StartError('the connection to Redis was lost: export again')));
  const onUnreadable = (what: string, reason: string) => warn(`${what}: left out, because it is damaged (${reason})`);
  const options = { redis, store, onUnreadable, signal: lost.signal };
  const lines = channel ? exportChannel(options, channel) : exportEverything(options);
  return out === undefined ? toStdout(lines) : toFile(lines, out);
}

async function toStdout(lines: AsyncIterable<Line>): Promise<number> {
  try {
    await writeLines(watched(lines), process.stdout);
    return 0;
  } catch (error) {
    // Whoever read it has seen enough, as `head` does.
    if (codeOf(error) === 'EPIPE') return 0;
    throw error;
  }
}

async function toFile(lines: AsyncIterable<Line>, path: string): Promise<number> {
  // It holds every message: nobody else may read it.
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
  try {
    await once(file, 'open');
  } catch (error) {
    const reason = codeOf(error) === 'EEXIST' ? 'it exists, choose another name' : oneLine(error);
    throw new StartError(`--out ${path}: ${reason}`);
  }
  try {
    await writeLines(watched(lines), file);
    file.end();
    await once(file, 'close');
    return 0;
  } catch (error) {
    file.destroy();
    rmSync(path, { force: true });
    throw error;
  }
}

/** Shows how far it is, and in the end what was written. */
async function* watched(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  const progress = progressLine();
  let count = 0;
  for await (const line of lines) {
    count++;
    progress.show(() => `${count.toLocaleString('en')} lines`);
    yield line;
    if (line.kind !== 'end') continue;
    progress.end();
    warn(`exported: ${listOf(line.counts)}`);
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
