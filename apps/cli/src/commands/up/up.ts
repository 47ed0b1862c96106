import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from '@ruyi/config';
import { checkPorts, type Launched, type Listening, launchChild, oneLine, Supervised } from '@ruyi/process';
import { reachRedis } from '@ruyi/redis';
import { banner } from './banner.ts';
import { lockDataDir } from './dataLock.ts';
import { endLeftovers, REDIS } from './leftovers.ts';
import { boundLogs } from './logFiles.ts';
import { startOwnRedis } from './ownRedis.ts';
import { identify } from './processIdentity.ts';
import { openRunFolder, type RunFolder, type RunningProcess } from './runFolder.ts';

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
}

const BACKGROUND_NICE = 10;

/**
 * Runs a whole installation: its redis-server (unless REDIS_URL is set), indexers and workers, then api and board.
 * Resolves when `signal` was aborted and everything has stopped, in reverse order.
 * @throws ConfigError or StartError if something cannot start; nothing is left running then
 */
export async function up(options: UpOptions): Promise<void> {
  const { env, say, signal } = options;
  const config = loadConfig(env);
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
  const stopBounding = boundLogs([logs, join(config.dataDir, 'redis')]);
  try {
    const redisUrl = config.redisUrl === '' ? await startRedis() : config.redisUrl;
    const reached = reachRedis({ settings: { ...config, redisUrl }, log: { warn: say, info: say }, signal });
    await Promise.race([reached, stopRequested]);
    run.noteRedisUrl(redisUrl);
    const [api, board] = [child('api', 'api'), child('board', 'board')];
    // Workers start before the API: queued jobs are worked before new messages come. Indexers stop after the workers.
    await start(numbered('indexer', config.indexers).map((name) => child('indexer', name)));
    await start(numbered('worker', config.workers).map((name) => child('worker', name)));
    await start([api, board]);
    if (!signal.aborted) {
      say(
        banner({ config, env, api: api.details, board: board.details, logs: env.LOG_LEVEL ? 'this terminal' : logs }),
      );
      options.onReady({ api: api.details, board: board.details, redisUrl });
      await stopRequested;
    }

    function child(app: AppName, name: string): Supervised {
      const plan = {
        name,
        entry: options.entries[app],
        env: { ...env, REDIS_URL: redisUrl, REDIS_URL_FILE: undefined, DATA_DIR: config.dataDir },
        logFile: join(logs, `${name}.log`),
        // An operator who sets a level wants to see the lines.
        logToTerminal: Boolean(env.LOG_LEVEL),
        ...(app === 'indexer' ? { nice: BACKGROUND_NICE } : {}),
        ...(app === 'api' || app === 'board' ? { listening: listening[app] } : {}),
      };
      return new Supervised(
        name,
        noted(name, () => launchChild(plan)),
        say,
      );
    }
  } finally {
    for (const stage of stages.toReversed()) await Promise.all(stage.map((one) => one.stop()));
    stopBounding();
    run.clear();
  }

  function startRedis(): Promise<string> {
    const supervise = (launch: () => Launched) => start([new Supervised(REDIS, noted(REDIS, launch), say)]);
    return startOwnRedis({ config, env, runFolder: run.path, say, start: supervise });
  }
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
