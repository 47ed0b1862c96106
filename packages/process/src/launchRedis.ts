import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { whenGone } from './ready.ts';
import { type RedisAddress, type RedisSettings, redisConfig } from './redisConfig.ts';
import { StartError } from './startError.ts';
import type { Launched } from './supervised.ts';

export interface RedisPlan extends RedisSettings {
  binary: string;
  /** options that override the settings: `['--appendfsync', 'always']` */
  args?: string[];
  say(line: string): void;
}

const PING_EVERY_MS = 20;
const PATIENCE_MS = 5_000;

/**
 * Starts a redis-server in the foreground. Acknowledged writes survive a crash of any process. A crash of the machine
 * may lose the last second (`everysec`). There is no deadline for being ready, because a large file takes long to load.
 */
export function launchRedis(plan: RedisPlan): Launched {
  mkdirSync(plan.dir, { recursive: true });
  // If the kernel supports it, it ends redis-server with the supervisor, even after kill -9. If not, the next start
  // does.
  const server = [plan.binary, '-', ...(plan.args ?? [])];
  const [command = '', ...args] = tiesToParent() ? ['setpriv', '--pdeathsig', 'TERM', ...server] : server;
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // If it ends before it has read everything, its exit code says why.
  child.stdin.on('error', () => {});
  child.stdin.end(redisConfig(plan));
  const gone = whenGone(child);
  const ready = whenServing(plan, gone);
  ready.catch(() => {});
  return { pid: child.pid ?? 0, ready, gone, signal: (signal) => void child.kill(signal) };
}

/** True on Linux with util-linux 2.31 or newer. setpriv replaces itself with redis-server, so the process id stays. */
function tiesToParent(): boolean {
  return process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;
}

async function whenServing(plan: RedisPlan, gone: Promise<string>): Promise<Record<string, unknown>> {
  let ended: string | undefined;
  void gone.then((reason) => {
    ended = reason;
  });
  const impatient = setTimeout(() => plan.say('redis is loading its data …'), PATIENCE_MS);
  try {
    for (;;) {
      if (ended !== undefined) throw new StartError(`redis-server ended (${ended})${lastLogLine(plan.dir)}`);
      if (await answersPing(plan.address)) return {};
      await pause(PING_EVERY_MS);
    }
  } finally {
    clearTimeout(impatient);
  }
}

/** Whether it answers `+PONG`; while it loads its data it answers `-LOADING`. */
function answersPing(address: RedisAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const isSocket = 'socket' in address;
    const socket = connect(isSocket ? { path: address.socket } : { port: address.port, host: '127.0.0.1' });
    const answer = (serves: boolean) => {
      socket.destroy();
      resolve(serves);
    };
    let replies = '';
    socket.setTimeout(1000, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
    socket.on('data', (data) => {
      replies += data.toString();
      if (replies.includes('+PONG')) answer(true);
      else if (replies.includes('-')) answer(false);
    });
    const password = isSocket ? '' : address.password;
    socket.write(`${password === '' ? '' : `AUTH ${password}\r\n`}PING\r\n`);
  });
}

/** The reason why Redis ended: one of the last lines of its log, marked `#` for a warning. */
function lastLogLine(dir: string): string {
  const file = join(dir, 'redis.log');
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-20);
    const warning = lines.findLast((line) => / # (?!WARNING|Redis is now ready)/.test(line))?.replace(/^.* # /, '');
    const hint = warning?.includes('RDB') ? ` (its base file is damaged: restore ${dir} from a backup)` : '';
    return `${warning ? `: ${warning}` : ''}${hint}; see ${file}`;
  } catch {
    return `; no log in ${dir}`;
  }
}
