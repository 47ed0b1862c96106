import { ConfigError, loadConfig } from '@ruyi/config';
import { runApp, StartError } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { startApi } from './api.ts';

await runApp({
  name: 'API',
  expected: [ConfigError, InstallationError, RedisRefusal],
  async start(readiness) {
    const config = loadConfig(process.env);
    const log = createLog('api', config.logLevel);
    const { address, check, close } = await startApi(config, log, readiness).catch(explainBusyPort);
    const details = { address, version: VERSION };
    return { log, opened: [{ name: 'api', close }], details, check, drainSeconds: config.drainSeconds };
  },
});

function explainBusyPort(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
  throw new StartError(`PORT: ${error.message}; another process has this port, choose another one`);
}
