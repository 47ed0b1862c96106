import { ConfigError, loadConfig } from '@ruyi/config';
import { createLog, failStart, reportReady, runUntilSignal } from '@ruyi/telemetry';
import { startApi } from './api.ts';

try {
  const config = loadConfig(process.env);
  const log = createLog('api', config.logLevel);
  const api = await startApi(config, log);
  runUntilSignal(log, [{ name: 'api', close: api.close }]);
  reportReady({ address: api.address });
  log.info({ address: api.address }, 'ready');
} catch (error) {
  if (!(error instanceof Error)) failStart(`API cannot start: ${String(error)}`);
  if (error instanceof ConfigError || error.name === 'InstallationError') failStart(error.message);
  const code = 'code' in error ? error.code : '';
  if (code === 'EADDRINUSE') failStart(`PORT: ${error.message}; another process has this port, choose another one`);
  failStart(`API cannot start: ${error.message}`);
}
