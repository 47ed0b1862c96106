import { ConfigError, loadConfig } from '@ruyi/config';
import { createLog, failStart, reportReady, runUntilSignal } from '@ruyi/telemetry';
import { startIndexer } from './indexer.ts';

try {
  const config = loadConfig(process.env);
  const log = createLog('indexer', config.logLevel);
  const indexer = await startIndexer(config, log);
  runUntilSignal(log, [{ name: 'indexer', close: indexer.close }]);
  reportReady();
  log.info('ready');
} catch (error) {
  if (error instanceof ConfigError || (error instanceof Error && error.name === 'InstallationError')) {
    failStart(error.message);
  }
  failStart(`indexer cannot start: ${error instanceof Error ? error.message : String(error)}`);
}
