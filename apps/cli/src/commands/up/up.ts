import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError, loadConfig } from '@ruyi/config';
import {
  type ChildPlan,
  checkPorts,
  freePort,
  type Launched,
  type Listening,
  launchChild,
  oneLine,
  Supervised,
} from '@ruyi/process';
import { reachRedis } from '@ruyi/redis';
import { banner } from './banner.ts';
import { lockDataDir } from './dataLock.ts';
import { endLeftovers, REDIS } from './leftovers.ts';
import { boundLogs } from './logFiles.ts';
import { startOwnRedis } from './ownRedis.ts';
import { identify } from './processIdentity.ts';
import { openRunFolder, type RunFolder, type RunningProcess } from './runFolder.ts';
import { sayHealth } from './sayHealth.ts';

export type AppName = 'api' | 'board' | 'worker' | 'indexer';

export interface UpOptions {
  env: NodeJS.ProcessEnv;
  /** the compiled main.js of each app */
  entries: Record<AppName, string>;
  /** prints a line for the operator */
  say(line: string): void;
  /** called once, when everything serves */
  onReady(addresses: Record<string, unknown>): void;
  /** stops everything when it is aborted */
  signal: AbortSignal;
  /** ends the drain of what is being stopped */
  hurry?: AbortSignal;
}

const BACKGROUND_NICE = 10;

/**
 * Runs a whole installation: its redis-server (unless REDIS_URL is set), indexers and workers, then api and board.
 * Resolves when `signal` was aborted and everything has stopped, in reverse order.
 * @throws ConfigError or StartError if something cannot start; nothing is left running then
 */
export async function up(options: UpOptions): Promise<void> {
  const { env, say, signal } = options;
  const config = await configOf(env);
  const run = openRunFolder(config.dataDir);
  lockDataDir(config.dataDir, run.path);
  await endLeftovers(run, say);
  const listening = listeningOf(config);
  await checkPorts([listening.api, listening.board]);

  const noted = noteEach(run, say);
  const stages: Supervised[][] = [];
  const stopRequested = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  const start = async (stage: Supervised[]) => {
    if (signal.aborted) return;
    stages.push(stage);
    await Promise.race([Promise.all(stage.map((one) => one.start())), stopRequested]);
  };
  const logs = join(config.dataDir, 'logs');
  mkdirSync(logs, { recursive: true });
  const stopBounding = boundLogs([logs, ...redisFolders(config)]);
  try {
    const redisUrl = config.redisUrl === '' ? await startRedis() : config.redisUrl;
    const reached = reachRedis({ settings: { ...config, redisUrl }, log: { warn: say, info: say }, signal });
    await Promise.race([reached, stopRequested]);
    run.noteRedisUrl(redisUrl);
    const child = (app: AppName, name: string) => {
      const plan = planOf(app, name, {
        config,
        logs,
        entry: options.entries[app],
        env: { ...env, REDIS_URL: redisUrl, REDIS_URL_FILE: undefined },
      });
      const launch = noted(name, () => launchChild(plan));
      return new Supervised(name, launch, say, isServer(app) ? config.drainSeconds : 0);
    };
    const apis = (config.apis === 1 ? ['api'] : numbered('api', config.apis)).map((name) => child('api', name));
    const board = child('board', 'board');
    // Workers start before the API: queued jobs are worked before new messages come. Indexers stop after the workers.
    await start(numbered('indexer', config.indexers).map((name) => child('indexer', name)));
    await start(numbered('worker', config.workers).map((name) => child('worker', name)));
    await start([...apis, board]);
    if (!signal.aborted) {
      const [api] = apis.map(({ details }) => details);
      say(banner({ config, env, api, board: board.details, logs: env.LOG_LEVEL ? 'this terminal' : logs }));
      options.onReady({ api, board: board.details, redisUrl });
      const stopLooking = sayHealth({ ...config, redisUrl }, say);
      await stopRequested;
      await stopLooking();
    }
  } finally {
    if (signal.aborted && config.drainSeconds > 0) {
      say(`serving for ${config.drainSeconds} s more (DRAIN_SECONDS); the same signal again ends this`);
    }
    for (const stage of stages.toReversed()) await Promise.all(stage.map((one) => one.stop(options.hurry)));
    stopBounding();
    run.clear();
  }

  function startRedis(): Promise<string> {
    const supervise = (launch: () => Launched, name = REDIS) => start([new Supervised(name, noted(name, launch), say)]);
    return startOwnRedis({ config, env, runFolder: run.path, say, start: supervise });
  }
}

function redisFolders({ dataDir, redisNodes }: Config): string[] {
  const folder = join(dataDir, 'redis');
  return [folder, ...numbered('node', redisNodes).map((name) => join(folder, name))];
}

/** @throws ConfigError if a setting is invalid, or makes no sense for several processes on one machine */
async function configOf(env: NodeJS.ProcessEnv): Promise<Config> {
  const config = loadConfig(env);
  if (config.redisUrl !== '' && config.redisNodes > 1) {
    throw new ConfigError(
      `REDIS_NODES=${config.redisNodes}: REDIS_URL is set, so npm start runs no redis-server; remove one of the two`,
    );
  }
  if (config.healthPort !== undefined && config.healthPort !== 0) {
    throw new ConfigError(
      `HEALTH_PORT=${config.healthPort}: workers and indexers of npm start cannot share a port; set 0, each takes a free one then, or nothing`,
    );
  }
  // APIs that share a port must know which one, and so must the board, also when all of them have been started again.
  return config.port === 0 ? Object.freeze({ ...config, port: await freePort() }) : config;
}

const isServer = (app: AppName) => app === 'api' || app === 'board';

interface Surroundings {
  config: Config;
  logs: string;
  entry: string;
  env: NodeJS.ProcessEnv;
}

function planOf(app: AppName, name: string, { config, logs, entry, env }: Surroundings): ChildPlan {
  const listening = listeningOf(config);
  return {
    name,
    entry,
    env: { ...env, PORT: String(config.port), DATA_DIR: config.dataDir, RUYI_URL: env.RUYI_URL || ownUrl(config) },
    logFile: join(logs, `${name}.log`),
    // An operator who sets a level wants to see the lines.
    logToTerminal: Boolean(env.LOG_LEVEL),
    ...(app === 'indexer' ? { nice: BACKGROUND_NICE } : {}),
    ...(app === 'api' || app === 'board' ? { listening: listening[app] } : {}),
    sharesPort: app === 'api' && config.apis > 1,
  };
}

/** Where the board finds the API of this installation. */
function ownUrl({ host, port }: Config): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' || host === '[::]' ? '::1' : host;
  return `http://${reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable}:${port}`;
}

function listeningOf(config: Config): Record<'api' | 'board', Listening> {
  return {
    api: { host: config.host, port: config.port, variable: 'PORT' },
    board: { host: config.boardHost, port: config.boardPort, variable: 'BOARD_PORT' },
  };
}

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);

/** Records every process as soon as it is started, in case this one is killed. */
function noteEach(run: RunFolder, say: (line: string) => void) {
  const latest = new Map<string, RunningProcess>();
  return (name: string, launch: () => Launched) => (): Launched => {
    const launched = launch();
    const identity = identify(launched.pid);
    if (identity) latest.set(name, { name, ...identity });
    try {
      run.noteProcesses([...latest.values()]);
    } catch (error) {
      say(`cannot write to ${run.path}: ${oneLine(error)}`);
    }
    return launched;
  };
}
