import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Another user of the machine, whom only root can become. */
export const AS_NOBODY = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
export const canBeNobody =
  process.getuid?.() === 0 && spawnSync('setpriv', [...AS_NOBODY, process.execPath, '-e', '']).status === 0;
if (!canBeNobody) console.log('skipped: tests with a second user need root and setpriv');

const INTRUDER = fileURLToPath(new URL('./fixtures/intruder.mjs', import.meta.url));

interface Reach {
  readable: string[];
  /** by path or port: its answer to PING, empty if it cannot be reached */
  answers: Record<string, string>;
}

/** What the other user can read of these paths, and what these sockets and ports answer. */
export function reachOfNobody(goal: { paths: string[]; sockets?: string[]; ports?: number[] }): Reach {
  const wanted = JSON.stringify({ sockets: [], ports: [], ...goal });
  const { stdout, stderr } = spawnSync('setpriv', [...AS_NOBODY, process.execPath, INTRUDER, wanted], {
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The mode of a folder and of everything in it. */
export function modesIn(folder: string): Map<string, number> {
  const paths = [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ];
  return new Map(
    paths.flatMap((path) => {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats ? [[path, stats.mode & 0o777] as const] : [];
    }),
  );
}

/** The TCP ports on which a process listens, over IPv4 and IPv6 (Linux). */
export function listeningPorts(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
        return state === '0A' && inodes.has(inode) ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [];
      }),
  );
}
