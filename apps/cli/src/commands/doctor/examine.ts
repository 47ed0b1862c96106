import type { Config } from '@ruyi/config';
import { problemsOfWork, readWork } from '@ruyi/queue';
import { infoOfNodes, type RedisClient } from '@ruyi/redis';
import { createSearchEngine, type SearchEngine } from '@ruyi/search';
import { createStore, runningBroadcasts, sampleLogs, shardsOfInstallation } from '@ruyi/store';
import { openRedis } from '../connection.ts';
import { type Finding, failure, looked, ok, warn } from './finding.ts';
import { indexFinding } from './indexFindings.ts';
import { diskFinding, nodeFinding, openFilesFinding, portFindings } from './machineFindings.ts';
import { type RedisState, redisFindings, rewriteBytes, rows } from './redisFindings.ts';
import { isOwnIndex, searchFindings } from './searchFindings.ts';

const SAMPLE = 20;
/** What Redis should not be is a finding of its own. */
const TAKEN = { allowEviction: true, allowNoAof: true, onlyLooks: true };

/** Looks at everything that an installation needs. */
export async function examine(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const engine = createSearchEngine(config, 'reader');
  return lookAt(config, engine, env).finally(() => engine.close());
}

async function lookAt(config: Config, engine: SearchEngine, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const machine = looked('ports', () => portFindings(config));
  const search = looked('search', () => searchFindings(config, engine));
  const opened = await openRedis(env, TAKEN).catch((error: unknown) => ({ error }));
  const redis = 'error' in opened ? undefined : opened.redis;
  const found =
    'error' in opened ? [await failure('redis', opened.error)] : await installation(config, engine, opened.redis);
  const need = redis && config.redisUrl === '' ? rewriteBytes(await infoOfNodes(redis).catch(() => [])) : 0;
  const disk = await looked('disk', async () => [await diskFinding(config, need)]);
  redis?.disconnect();
  return [nodeFinding(), ...openFilesFinding(), ...disk, ...(await machine), ...(await search), ...found];
}

/** What is in Redis, and who works on it. */
async function installation(config: Config, engine: SearchEngine, redis: RedisClient): Promise<Finding[]> {
  try {
    const [nodes, work, running] = await Promise.all([infoOfNodes(redis), readWork(redis), runningBroadcasts(redis)]);
    const state = { nodes, work, running };
    return [
      ...(await looked('redis', () => redisFindings(redis, config, state))),
      ...workFindings(config, state),
      ...(await looked('index', async () => [await sampleFinding(config, engine, redis, work.index.jobs)])),
    ];
  } catch (error) {
    return [await failure('redis', error)];
  }
}

function workFindings({ maxBacklog }: Config, { work }: RedisState): Finding[] {
  const { clocks, workers, lanes, indexer, backlog, dead_letters } = problemsOfWork(work, maxBacklog);
  const living = (role: string) => work.members.filter((member) => member.role === role).length;
  return [
    ...rows('clocks', clocks, 'the clocks of all processes are that of Redis'),
    ...rows('workers', workers, `${living('worker')} live`),
    ...rows('lanes', lanes, `each of ${work.lanes?.length ?? 0} has a worker`),
    ...rows('indexer', indexer, `${living('indexer')} live`),
    ...rows('backlog', backlog, 'nothing waits for too long'),
    ...rows('dead_letters', dead_letters, 'none', warn),
  ];
}

async function sampleFinding(
  config: Config,
  engine: SearchEngine,
  redis: RedisClient,
  waiting: number,
): Promise<Finding> {
  const store = createStore(redis, { ...config, shards: await shardsOfInstallation(redis, config) });
  if (!isOwnIndex(config, await store.indexOwner.indexId())) {
    return ok('index', 'not compared with the logs: it is on the machine of the indexer, run ruyi doctor there');
  }
  return indexFinding(store, engine, { channels: await sampleLogs(redis, SAMPLE), waiting });
}
