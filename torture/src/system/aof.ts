import { readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Random, TestRedis } from '@ruyi/testkit';
import type { RedisNode } from './torturedRedis.ts';

/** Everything that Redis had answered by `at` is in the first `size` bytes of `file`. */
interface Known {
  at: number;
  file: string;
  size: number;
}

const LOOK_EVERY_MS = 50;
const OLDEST_MS = 1000;

/** Records the size of the append-only file over time, until it is stopped. */
export function watchAof(redis: TestRedis): { stop(): Promise<Known[]> } {
  const known: Known[] = [];
  let isStopped = false;
  const look = async () => {
    while (!isStopped) {
      const at = performance.now();
      const info = await redis.client.info('persistence');
      // During a sync Redis may answer before it writes; otherwise it writes first.
      if (!isStopped && info.includes('aof_pending_bio_fsync:0')) {
        const file = currentFile(redis);
        known.push({ at, file, size: statSync(file).size });
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  // The last request may hang until Redis is back, but nobody waits for it.
  look().catch(() => {});
  return {
    async stop() {
      isStopped = true;
      return known;
    },
  };
}

function currentFile({ dir }: Pick<RedisNode, 'dir'>): string {
  const folder = join(dir, 'appendonlydir');
  const manifest = readFileSync(join(folder, 'appendonly.aof.manifest'), 'utf8');
  const [, name = ''] = /^file (\S+) seq \d+ type i$/m.exec(manifest.trim().split('\n').toReversed().join('\n')) ?? [];
  return join(folder, name);
}

/**
 * Cuts the file within its last second, between two transactions. If a transaction is cut in its middle, Redis 7.0 leaves its
 * beginning in the file, appends after it, and executes that beginning at the next restart. No script is safe from this
 * fault of Redis.
 * @returns since when answers may be lost, and how much was cut
 */
export function loseTail(known: Known[], random: Random): { since: number; bytes: number } {
  const last = known.at(-1);
  if (!last) throw new Error('nothing is known of the append-only file');
  const oldest = known.find(({ at, file }) => file === last.file && at >= last.at - OLDEST_MS) ?? last;
  const tail = readFileSync(last.file).subarray(oldest.size);
  const ends = transactionEnds(tail);
  const kept = oldest.size + (ends[random.whole(0, ends.length - 1)] ?? 0);
  truncateSync(last.file, kept);
  return { since: oldest.at, bytes: oldest.size + tail.length - kept };
}

/**
 * Cuts off a transaction that a kill has cut in its middle, for the reason that loseTail gives: Linux may end a process
 * between two pages that it writes. Nothing of it was answered if Redis syncs before it answers.
 */
export function dropOpenTransaction(node: RedisNode): void {
  const file = currentFile(node);
  truncateSync(file, transactionEnds(readFileSync(file)).at(-1) ?? 0);
}

/** The offsets in bytes at which a command or a transaction ends, including 0. */
function transactionEnds(log: Buffer): number[] {
  const ends = [0];
  let at = 0;
  const number = () => {
    const end = log.indexOf('\r\n', at);
    const value = Number(log.toString('latin1', at + 1, end));
    at = end + 2;
    return end < 0 ? Number.NaN : value;
  };
  let isOpen = false;
  while (at < log.length) {
    const args = number();
    let name = '';
    for (let i = 0; i < args; i++) {
      const length = number();
      if (i === 0) name = log.toString('latin1', at, at + length).toUpperCase();
      at += length + 2;
    }
    // The last command may already be incomplete.
    if (Number.isNaN(args + at) || at > log.length) break;
    if (name === 'MULTI') isOpen = true;
    if (name === 'EXEC') isOpen = false;
    if (!isOpen) ends.push(at);
  }
  return ends;
}
