import { ConfigError, loadConfig } from '@ruyi/config';
import { probesOnly, runApp, STILL_STARTING } from '@ruyi/process';
import { lanesOfInstallation, servingCheck } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { openBoard } from './board.ts';
import { AddressError, listen } from './listen.ts';
import { noteOutages } from './noteOutages.ts';

await runApp({
  name: 'board',
  expected: [ConfigError, AddressError],
  async start(readiness) {
    const config = loadConfig(process.env);
    if (config.redisUrl === '') {
      throw new ConfigError(
        'REDIS_URL: the board needs the address of Redis (npm start sets it for its own redis-server)',
      );
    }
    const log = createLog('board', config.logLevel);
    let serve = probesOnly(readiness, STILL_STARTING);
    const server = await listen((request, response) => serve(request, response), config, readiness);
    const redis = connect(config.redisUrl, 'request', 'board');
    noteOutages(redis, log);
    const lanes = (await lanesOfInstallation(redis).catch(() => undefined)) ?? config.lanes;
    const board = openBoard(redis, { ...config, lanes }, log, readiness);
    serve = board.app;
    const opened = [{ name: 'redis', close: () => redis.disconnect() }, board, server];
    const details = { address: server.address, version: VERSION };
    return { log, opened, details, check: servingCheck(redis, lanes), drainSeconds: config.drainSeconds };
  },
});
