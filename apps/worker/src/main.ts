import { ConfigError, loadConfig } from '@ruyi/config';
import { listenForProbes, runApp } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { startWorker } from './worker.ts';

await runApp({
  name: 'worker',
  expected: [ConfigError, InstallationError, RedisRefusal],
  async start(readiness) {
    const config = loadConfig(process.env);
    const log = createLog('worker', config.logLevel);
    const health = await listenForProbes(config, readiness);
    const worker = await startWorker(config, log);
    const details = { worker: worker.name, lanes: worker.lanes, version: VERSION, ...health.details };
    const opened = [...health.opened, { name: 'worker', close: worker.close }];
    return { log, opened, details, check: worker.check };
  },
});
