import { DEAD_QUEUE, openQueue } from '@ruyi/queue';
import { openRedis } from './connection.ts';

const USAGE = 'ruyi dead list | ruyi dead retry <id> | ruyi dead retry --all';
/** A list is read in pages. */
const PAGE = 200;

type DeadQueue = ReturnType<typeof openQueue>;

/** `ruyi dead …`: lists and retries the dead letters of workers and indexers. @returns the exit code */
export async function deadLetters(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const isJson = args.includes('--json');
  const [action, id, ...more] = args.filter((arg) => arg !== '--json');
  const isId = id !== undefined && (id === '--all' || !id.startsWith('-'));
  const known = more.length === 0 && ((action === 'list' && id === undefined) || (action === 'retry' && isId));
  if (!known) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { redis } = await openRedis(env);
  const dead = openQueue(redis, DEAD_QUEUE);
  try {
    if (action === 'list') return await list(dead, isJson);
    return id === '--all' ? await retryAll(dead, isJson) : await retryOne(dead, id ?? '', isJson);
  } finally {
    await dead.close();
    redis.disconnect();
  }
}

async function list(dead: DeadQueue, isJson: boolean): Promise<number> {
  const total = await dead.getFailedCount();
  for (let start = 0; start < total; start += PAGE) {
    for (const job of await dead.getFailed(start, start + PAGE - 1)) {
      const { queue = '?', name = '?', reason = '' } = job.data ?? {};
      const time = new Date(job.timestamp).toISOString();
      const letter = { id: job.id, time, queue, name, reason: job.failedReason || reason };
      process.stdout.write(`${isJson ? JSON.stringify(letter) : Object.values(letter).join('\t')}\n`);
    }
  }
  if (!isJson) process.stdout.write(`${total} dead ${total === 1 ? 'letter' : 'letters'}\n`);
  return 0;
}

async function retryOne(dead: DeadQueue, id: string, isJson: boolean): Promise<number> {
  const job = await dead.getJob(id);
  if (!job || !(await job.isFailed())) {
    process.stderr.write(`${id}: no dead letter has this id\n`);
    return 1;
  }
  await job.retry();
  process.stdout.write(isJson ? '{"put_back":1}\n' : `${id}: put back\n`);
  return 0;
}

/** Retries only dead letters that are older than the command, so that one that fails again is not retried for ever. */
async function retryAll(dead: DeadQueue, isJson: boolean): Promise<number> {
  const begun = Date.now();
  let retried = 0;
  for (;;) {
    // Oldest first, so those that failed again come last.
    const page = await dead.getJobs(['failed'], 0, PAGE - 1, true);
    const jobs = page.filter((job) => (job.finishedOn ?? 0) < begun);
    for (const job of jobs) await job.retry();
    retried += jobs.length;
    if (jobs.length === 0) break;
  }
  process.stdout.write(isJson ? `{"put_back":${retried}}\n` : `${retried} put back\n`);
  return 0;
}
