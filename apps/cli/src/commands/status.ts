import type { InstallationStatus, LaneStatus } from '@ruyi/queue';
import { printable } from '../terminal/formats.ts';
import { textTable } from './textTable.ts';

const USAGE = 'ruyi status [--json]';
const MIB = 1024 ** 2;

/**
 * `ruyi status`: the processes that live, which lanes each works, what waits on them, the broadcasts that run, and Redis'
 * memory. @returns the exit code
 */
export async function status(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.some((arg) => arg !== '--json')) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const [{ openRedis }, { installationStatus }] = await Promise.all([import('./connection.ts'), import('@ruyi/queue')]);
  const { redis } = await openRedis(env);
  try {
    const state = await installationStatus(redis);
    process.stdout.write(args.includes('--json') ? `${JSON.stringify(state)}\n` : page(state));
    return 0;
  } finally {
    redis.disconnect();
  }
}

function page(state: InstallationStatus): string {
  const { processes, lanes, index, broadcasts, redis } = state;
  const lines = redis.map(
    ({ node, memory_bytes: used, memory_max_bytes: max }) =>
      `redis ${node}: ${Math.ceil(used / MIB)} MiB used${max > 0 ? ` of ${Math.floor(max / MIB)} MiB` : ''}`,
  );
  return [
    textTable([
      ['name', 'role', 'version', 'schema', 'lanes', 'host', 'since'],
      ...processes.map(({ name, role, version, schema, lanes: own, host, since }) => [
        name,
        role,
        version,
        String(schema),
        String(own.length),
        host,
        time(since),
      ]),
    ]),
    `lanes of each kind: ${state.lanes_of_each_kind ?? 'not decided yet'}${changing(state)}\n`,
    laneTable([...lanes, { name: 'index', worker: '', ...index }]),
    ...(broadcasts.length === 0 ? [] : [broadcastTable(broadcasts)]),
    `${lines.join('\n')}\n`,
  ].join('\n');
}

const changing = ({ lanes_changing_to: to }: InstallationStatus) => (to === null ? '' : `, changing to ${to}`);

export const laneTable = (lanes: (Omit<LaneStatus, 'kind'> & { worker: string | null })[]): string =>
  textTable([
    ['lane', 'worker', 'jobs', 'recipients', 'oldest job'],
    ...lanes.map(({ name, worker, jobs, backlog, oldest_job_at: oldest }) => [
      name,
      worker ?? 'nobody',
      String(jobs),
      String(backlog),
      oldest === null ? '' : time(oldest),
    ]),
  ]);

const broadcastTable = (broadcasts: InstallationStatus['broadcasts']): string =>
  textTable([
    ['broadcast', 'name', 'stored', 'failed', 'of', 'a second'],
    ...broadcasts.map(({ broadcast_no, name, stored, failed, total, rate_now }) => [
      broadcast_no,
      printable(name),
      ...[stored, failed, total, rate_now].map(String),
    ]),
  ]);

const time = (seconds: number) => new Date(seconds * 1000).toISOString();
