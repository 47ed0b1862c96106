import { readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Random, TestRedis } from '@ruyi/testkit';

/** All that Redis had answered by `at` lies in the first `size` bytes of `file`. */
interface Known {
  at: number;
  file: string;
  size: number;
}

const LOOK_EVERY_MS = 50;
const OLDEST_MS = 1000;

/** Notes how far the append-only file has come, until it is stopped. */
export function watchAof(redis: TestRedis): { stop(): Promise<Known[]> } {
  const known: Known[] = [];
  let isStopped = false;
  const look = async () => {
    while (!isStopped) {
      const at = performance.now();
      const info = await redis.client.info('persistence');
      // While a sync runs Redis may answer before it writes; without one it writes first.
      if (!isStopped && info.includes('aof_pending_bio_fsync:0')) {
        const file = currentFile(redis);
        known.push({ at, file, size: statSync(file).size });
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  // The last question may wait until Redis is back; nobody waits for it.
  look().catch(() => {});
  return {
    async stop() {
      isStopped = true;
      return known;
    },
  };
}

function currentFile({ dir }: TestRedis): string {
  const folder = join(dir, 'appendonlydir');
  const manifest = readFileSync(join(folder, 'appendonly.aof.manifest'), 'utf8');
  const [, name = ''] = /^file (\S+) seq \d+ type i$/m.exec(manifest.trim().split('\n').toReversed().join('\n')) ?? [];
  return join(folder, name);
}

/** Cuts the file somewhere within its last second. @returns since when answers may be lost, and how much was cut */
export function loseTail(known: Known[], random: Random): { since: number; bytes: number } {
  const last = known.at(-1);
  if (!last) throw new Error('nothing is known of the append-only file');
  const oldest = known.find(({ at, file }) => file === last.file && at >= last.at - OLDEST_MS) ?? last;
  const { size } = statSync(last.file);
  const kept = random.whole(Math.min(oldest.size, size), size);
  truncateSync(last.file, kept);
  return { since: oldest.at, bytes: size - kept };
}
