import { setTimeout as delay } from 'node:timers/promises';
import type { RebuildProgress } from '@ruyi/store';

const LOOK_EVERY_MS = 250;
const SILENT_MS = 10_000;
const BAR = 30;

/**
 * `ruyi reindex`: asks the indexer to build a new search index from Redis while the old one serves, and shows the
 * progress. Ctrl-C only stops watching. Run again, the command watches the running rebuild. @returns the exit code
 */
export async function reindex(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const isJson = args.includes('--json');
  if (args.some((arg) => arg !== '--json')) {
    process.stderr.write('ruyi reindex [--json]\n');
    return 2;
  }
  const [{ openRedis }, { createStore, shardsOfInstallation }] = await Promise.all([
    import('./connection.ts'),
    import('@ruyi/store'),
  ]);
  const { config, redis } = await openRedis(env);
  try {
    const { rebuilds } = createStore(redis, { ...config, shards: await shardsOfInstallation(redis, config) });
    const running = await rebuilds.requested();
    if (!running?.fresh) await rebuilds.request('ruyi reindex', { fresh: true });
    const before = await rebuilds.progress();
    const show = isJson ? () => {} : painter();
    let last: RebuildProgress | undefined;
    for (let waited = 0; (await rebuilds.requested()) !== undefined; waited += LOOK_EVERY_MS) {
      const progress = await rebuilds.progress();
      if (progress && (progress.id !== before?.id || running)) {
        last = progress;
        show(lineOf(progress));
      } else if (waited >= SILENT_MS) show('waiting for an indexer to start; is one running?');
      await delay(LOOK_EVERY_MS);
    }
    last = (await rebuilds.progress()) ?? last;
    show(`${lineOf(last, true)}\n`);
    if (isJson) process.stdout.write(`${JSON.stringify(last ?? null)}\n`);
    return 0;
  } finally {
    redis.disconnect();
  }
}

function lineOf(progress: RebuildProgress | undefined, isDone = false): string {
  if (!progress) return 'nothing to index';
  const { logs, logsRead, broadcasts, broadcastsRead, documents } = progress;
  // Logs are the first half of the bar and broadcasts the second, because their number is known only after the logs.
  const half = logs === 0 ? 1 : Math.min(1, logsRead / logs);
  const share = isDone ? 1 : (half + (broadcasts === 0 ? 0 : broadcastsRead / broadcasts)) / 2;
  const filled = Math.round(share * BAR);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
  return `${bar} ${Math.floor(share * 100)} %  logs ${logsRead}/${logs}  broadcasts ${broadcastsRead}/${broadcasts}  documents ${documents}`;
}

/** On a terminal it rewrites one line; elsewhere it prints a new line per change. */
function painter(): (text: string) => void {
  let shown = '';
  return (text) => {
    if (text === shown) return;
    const line = text.trimEnd();
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
    else if (line !== shown.trimEnd()) process.stdout.write(`${line}\n`);
    shown = text;
  };
}
