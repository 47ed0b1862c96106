import { ConfigError, loadConfig } from '@ruyi/config';
import { runApp } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { startIndexer } from './indexer.ts';

await runApp({
  name: 'indexer',
  expected: [ConfigError, InstallationError, RedisRefusal],
  async start() {
    const config = loadConfig(process.env);
    const log = createLog('indexer', config.logLevel);
    const indexer = await startIndexer(config, log);
    return { log, opened: [{ name: 'indexer', close: indexer.close }], details: { version: VERSION } };
  },
});
