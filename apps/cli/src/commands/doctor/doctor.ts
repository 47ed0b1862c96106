import { type Config, loadConfig } from '@ruyi/config';
import { problemsOfWork, readWork } from '@ruyi/queue';
import { infoOfNodes, type RedisClient } from '@ruyi/redis';
import { createSearchEngine, type SearchEngine } from '@ruyi/search';
import { createStore, runningBroadcasts, sampleLogs, shardsOfInstallation } from '@ruyi/store';
import { coloursOf } from '../../terminal/table.ts';
import { openRedis } from '../connection.ts';
import { type Finding, failure, looked, ok, warn } from './finding.ts';
import { indexFinding } from './indexFindings.ts';
import { diskFinding, nodeFinding, openFilesFinding, portFindings } from './machineFindings.ts';
import { type RedisState, redisFindings, rewriteBytes, rows } from './redisFindings.ts';
import { isOwnIndex, searchFindings } from './searchFindings.ts';

const USAGE = 'ruyi doctor [--json]';
const SAMPLE = 20;
/** What Redis should not be is a finding of its own. */
const TAKEN = { allowEviction: true, allowNoAof: true, onlyLooks: true };

type Colours = ReturnType<typeof coloursOf>;

/** `ruyi doctor`: looks at everything that an installation needs. @returns the exit code: 1 if something fails */
export async function doctor(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.some((arg) => arg !== '--json')) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const config = loadConfig(env);
  const engine = createSearchEngine(config, 'reader');
  const findings = await examine(config, engine, env).finally(() => engine.close());
  const isJson = args.includes('--json');
  process.stdout.write(
    isJson ? `${JSON.stringify({ status: worstOf(findings), checks: findings })}\n` : page(findings, env),
  );
  return worstOf(findings) === 'fail' ? 1 : 0;
}

async function examine(config: Config, engine: SearchEngine, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const machine = looked('ports', () => portFindings(config));
  const search = looked('search', () => searchFindings(config, engine));
  const opened = await openRedis(env, TAKEN).catch((error: unknown) => ({ error }));
  const redis = 'error' in opened ? undefined : opened.redis;
  const found = 'error' in opened ? [failure('redis', opened.error)] : await installation(config, engine, opened.redis);
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
    return [failure('redis', error)];
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

function worstOf(findings: Finding[]): Finding['status'] {
  const has = (status: Finding['status']) => findings.some((finding) => finding.status === status);
  return has('fail') ? 'fail' : has('warn') ? 'warn' : 'ok';
}

function page(findings: Finding[], env: NodeJS.ProcessEnv): string {
  const colours = coloursOf(process.stdout, env);
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(6 + width + 2);
  const lines = findings.flatMap(({ check, status, message, fix }) => [
    `${shown(status, colours)}  ${check.padEnd(width)}  ${message}`,
    ...(fix === undefined ? [] : [`${indent}${fix}`]),
  ]);
  return `${lines.join('\n')}\n`;
}

const shown = (status: Finding['status'], { green, yellow, red }: Colours): string =>
  ({ ok: green('ok  '), warn: yellow('warn'), fail: red('fail') })[status];
