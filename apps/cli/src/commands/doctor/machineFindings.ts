import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Config } from '@ruyi/config';
import { busyPort, checkPorts } from '@ruyi/process';
import { bytes } from '../../terminal/formats.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const OLDEST_NODE = [20, 11] as const;
/** An API holds a file for each client and its searches. */
const OPEN_FILES = 4096;
const DISK = { failBelow: 64 * 1024 ** 2, warnBelowShare: 0.1, warnBelow: 10 * 1024 ** 3 };
const ANSWER_MS = 1000;

export function nodeFinding(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]))
    return ok('node', `Node ${version}`);
  const oldest = OLDEST_NODE.join('.');
  return fail('node', { message: `Node ${version} is too old`, fix: `install Node ${oldest} or newer` });
}

/** The bound of this process; what systemd or a container sets for Ruyi may be another one. */
export function openFilesFinding(): Finding[] {
  const limits = '/proc/self/limits';
  if (!existsSync(limits)) return [];
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync(limits, 'utf8')) ?? [];
  if (soft === 'unlimited' || Number(soft) >= OPEN_FILES) return [ok('open_files', `up to ${soft} open files`)];
  return [
    warn('open_files', {
      message: `a process may open ${soft} files: an API refuses clients beyond that`,
      fix: `ulimit -n ${16 * OPEN_FILES}, or LimitNOFILE= in the unit of systemd`,
    }),
  ];
}

/** @param rewriteBytes what Redis needs beside its AOF to write it anew, if its disk is this one */
export async function diskFinding({ dataDir }: Config, rewriteBytes: number): Promise<Finding> {
  const folder = existsSync(dataDir) ? dataDir : '.';
  const { bsize, blocks, bavail } = await statfs(folder);
  const [free, size] = [bavail * bsize, blocks * bsize];
  const message = `${bytes(free)} of ${bytes(size)} are free on the disk of DATA_DIR=${dataDir}`;
  if (free < DISK.failBelow)
    return fail('disk', { message, fix: 'free space: Redis refuses writes when its disk is full' });
  if (free < rewriteBytes) {
    const need = `Redis needs up to ${bytes(rewriteBytes)} when it writes its AOF anew`;
    return warn('disk', { message: `${message}, and ${need}`, fix: 'free space, or move DATA_DIR to a larger disk' });
  }
  if (free < Math.min(DISK.warnBelow, size * DISK.warnBelowShare)) {
    return warn('disk', { message, fix: 'free space, or move DATA_DIR to a larger disk' });
  }
  return ok('disk', message);
}

/** Whether the ports of the API and the board are free, or theirs. */
export async function portFindings({ host, port, boardHost, boardPort }: Config): Promise<Finding[]> {
  const listening = [
    { host, port, variable: 'PORT' },
    { host: boardHost, port: boardPort, variable: 'BOARD_PORT' },
  ];
  return Promise.all(
    listening.map(async (address) => {
      const { variable } = address;
      if (address.port === 0) return ok('ports', `${variable}=0: it takes a free one`);
      const shown = `${variable}=${address.port}`;
      if (await isRuyi(address.host, address.port)) return ok('ports', `${shown}: Ruyi listens there`);
      return checkPorts([address]).then(
        () => ok('ports', `${shown}: free`),
        () =>
          fail('ports', {
            message: `${shown}: something else listens on it`,
            fix: busyPort(address).split('; ')[1] ?? '',
          }),
      );
    }),
  );
}

async function isRuyi(host: string, port: number): Promise<boolean> {
  const open = host === '0.0.0.0' || host === '::' || host === '[::]' ? '127.0.0.1' : host;
  const shown = open.includes(':') && !open.startsWith('[') ? `[${open}]` : open;
  try {
    const answer = await fetch(`http://${shown}:${port}/livez`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok && (await answer.text()) === '{"status":200}';
  } catch {
    return false;
  }
}
