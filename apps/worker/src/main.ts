import { ConfigError, loadConfig } from '@ruyi/config';
import { runApp } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { startWorker } from './worker.ts';

await runApp({
  name: 'worker',
  expected: [ConfigError, InstallationError, RedisRefusal],
  async start() {
    const config = loadConfig(process.env);
    const log = createLog('worker', config.logLevel);
    const worker = await startWorker(config, log);
    const details = { worker: worker.name, lanes: worker.lanes, version: VERSION };
    return { log, opened: [{ name: 'worker', close: worker.close }], details };
  },
});
