import { ConfigError, loadConfig } from '@ruyi/config';
import { listenForProbes, runApp } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { startIndexer } from './indexer.ts';

await runApp({
  name: 'indexer',
  expected: [ConfigError, InstallationError, RedisRefusal],
  async start(readiness) {
    const config = loadConfig(process.env);
    const log = createLog('indexer', config.logLevel);
    const health = await listenForProbes(config, readiness);
    const indexer = await startIndexer(config, log);
    const opened = [...health.opened, { name: 'indexer', close: indexer.close }];
    return { log, opened, details: { version: VERSION, ...health.details }, check: indexer.check };
  },
});
