import { ConfigError, loadConfig } from '@ruyi/config';
import { createLog, failStart, reportReady, runUntilSignal } from '@ruyi/telemetry';
import { startWorker } from './worker.ts';

try {
  const config = loadConfig(process.env);
  const log = createLog('worker', config.logLevel);
  const worker = await startWorker(config, log);
  runUntilSignal(log, [{ name: 'worker', close: worker.close }]);
  reportReady({ worker: worker.name });
  log.info({ worker: worker.name, lanes: config.lanes }, 'ready');
} catch (error) {
  if (error instanceof ConfigError || (error instanceof Error && error.name === 'InstallationError')) {
    failStart(error.message);
  }
  failStart(`worker cannot start: ${error instanceof Error ? error.message : String(error)}`);
}
