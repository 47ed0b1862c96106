import { ConfigError, loadConfig } from '@ruyi/config';
import { runApp, StartError } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { InstallationError, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { startApi } from './api.ts';

await runApp({
  name: 'API',
  expected: [ConfigError, InstallationError, RedisRefusal],
  async start() {
    const config = loadConfig(process.env);
    const log = createLog('api', config.logLevel);
    const api = await startApi(config, log).catch(explainBusyPort);
    return { log, opened: [{ name: 'api', close: api.close }], details: { address: api.address, version: VERSION } };
  },
});

function explainBusyPort(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
  throw new StartError(`PORT: ${error.message}; another process has this port, choose another one`);
}
