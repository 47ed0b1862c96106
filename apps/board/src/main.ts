import { ConfigError, loadConfig } from '@ruyi/config';
import { runApp } from '@ruyi/process';
import { lanesOfInstallation } from '@ruyi/queue';
import { connect, RedisRefusal, reachRedis, whileStarting } from '@ruyi/redis';
import { VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { openBoard } from './board.ts';
import { AddressError, listen } from './listen.ts';
import { noteOutages } from './noteOutages.ts';

await runApp({
  name: 'board',
  expected: [ConfigError, AddressError, RedisRefusal],
  async start() {
    const config = loadConfig(process.env);
    const log = createLog('board', config.logLevel);
    const starting = { settings: config, log };
    await reachRedis(starting);
    const redis = connect(config, 'request', 'board');
    noteOutages(redis, log);
    const lanes = (await whileStarting(() => lanesOfInstallation(redis), starting)) ?? config.lanes;
    const board = openBoard(redis, { ...config, lanes }, log);
    const server = await listen(board.app, config);
    const opened = [{ name: 'redis', close: () => redis.disconnect() }, board, server];
    return { log, opened, details: { address: server.address, version: VERSION } };
  },
});
