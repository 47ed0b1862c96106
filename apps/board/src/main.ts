import { ConfigError, loadConfig } from '@ruyi/config';
import { probesOnly, runApp, STILL_STARTING } from '@ruyi/process';
import { lanesOfInstallation, servingCheck } from '@ruyi/queue';
import { connect, RedisRefusal, reachRedis, whileStarting } from '@ruyi/redis';
import { VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { openBoard } from './board.ts';
import { AddressError, listen } from './listen.ts';
import { noteOutages } from './noteOutages.ts';

await runApp({
  name: 'board',
  expected: [ConfigError, AddressError, RedisRefusal],
  async start(readiness) {
    const config = loadConfig(process.env);
    const log = createLog('board', config.logLevel);
    let serve = probesOnly(readiness, STILL_STARTING);
    const server = await listen((request, response) => serve(request, response), config, readiness);
    const starting = { settings: config, log };
    await reachRedis(starting);
    const redis = connect(config, 'request', 'board');
    noteOutages(redis, log);
    const lanes = (await whileStarting(() => lanesOfInstallation(redis), starting)) ?? config.lanes;
    const board = openBoard(redis, { ...config, lanes }, log, readiness);
    serve = board.app;
    const opened = [{ name: 'redis', close: () => redis.disconnect() }, board, server];
    const details = { address: server.address, version: VERSION };
    return { log, opened, details, check: servingCheck(redis, lanes), drainSeconds: config.drainSeconds };
  },
});
