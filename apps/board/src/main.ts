import { ConfigError, loadConfig } from '@ruyi/config';
import { connect } from '@ruyi/redis';
import { createLog, failStart, reportReady, runUntilSignal } from '@ruyi/telemetry';
import { openBoard } from './board.ts';
import { AddressError, listen } from './listen.ts';
import { noteOutages } from './noteOutages.ts';

try {
  const config = loadConfig(process.env);
  if (config.redisUrl === '') {
    throw new ConfigError('REDIS_URL: the board needs an address (npm start sets it for its own redis-server)');
  }
  const log = createLog('board', config.logLevel);
  const redis = connect(config.redisUrl, 'request', 'board');
  noteOutages(redis, log);
  const board = openBoard(redis, config, log);
  const server = await listen(board.app, config);
  runUntilSignal(log, [{ name: 'redis', close: () => redis.disconnect() }, board, server]);
  reportReady({ address: server.address });
  log.info({ address: server.address }, 'ready');
} catch (error) {
  if (error instanceof ConfigError || error instanceof AddressError) failStart(error.message);
  failStart(`board cannot start: ${error instanceof Error ? error.message : String(error)}`);
}
