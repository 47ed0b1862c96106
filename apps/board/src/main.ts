import { ConfigError, loadConfig } from '@ruyi/config';
import { runApp } from '@ruyi/process';
import { connect, RedisRefusal, reachRedis } from '@ruyi/redis';
import { InstallationError, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { openBoard } from './board.ts';
import { joinAsBoard } from './joinAsBoard.ts';
import { AddressError, listen } from './listen.ts';
import { noteOutages } from './noteOutages.ts';

await runApp({
  name: 'board',
  expected: [ConfigError, AddressError, InstallationError, RedisRefusal],
  async start() {
    const config = loadConfig(process.env);
    const log = createLog('board', config.logLevel);
    const starting = { settings: config, log };
    await reachRedis(starting);
    const redis = connect(config, 'request', 'board');
    noteOutages(redis, log);
    const membership = await joinAsBoard(redis, config, starting);
    const board = openBoard(redis, membership.plan, config, log);
    membership.onPlan((plan) => board.show(plan));
    const server = await listen(board.app, config);
    const opened = [{ name: 'redis', close: () => redis.disconnect() }, membership, board, server];
    return { log, opened, details: { address: server.address, version: VERSION } };
  },
});
