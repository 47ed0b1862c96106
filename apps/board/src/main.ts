import { ConfigError, loadConfig } from '@ruyi/config';
import { probesOnly, runApp, STILL_STARTING } from '@ruyi/process';
import { DeadLetters, openQueues, servingCheck } from '@ruyi/queue';
import { connect, RedisRefusal, reachRedis } from '@ruyi/redis';
import { InstallationError, shardsOfInstallation, VERSION } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { openBoard } from './board.ts';
import { joinAsBoard } from './joinAsBoard.ts';
import { AddressError, listen } from './listen.ts';
import { noteOutages } from './noteOutages.ts';

await runApp({
  name: 'board',
  expected: [ConfigError, AddressError, InstallationError, RedisRefusal],
  async start(readiness) {
    const config = loadConfig(process.env);
    const log = createLog('board', config.logLevel);
    let serve = probesOnly(readiness, STILL_STARTING);
    const server = await listen((request, response) => serve(request, response), config, readiness);
    const starting = { settings: config, log };
    await reachRedis(starting);
    const redis = connect(config, 'request', 'board');
    noteOutages(redis, log);
    const membership = await joinAsBoard(redis, config, starting);
    const queues = openQueues(redis, membership.plan);
    const dead = new DeadLetters(queues, await shardsOfInstallation(redis, config));
    const board = openBoard(redis, { plan: membership.plan, dead, config, log, readiness });
    membership.onPlan((plan) => board.show(plan));
    serve = board.app;
    const opened = [
      { name: 'redis', close: () => redis.disconnect() },
      membership,
      { name: 'queues', close: () => queues.close() },
      board,
      server,
    ];
    const details = { address: server.address, version: VERSION };
    return { log, opened, details, check: servingCheck(redis), drainSeconds: config.drainSeconds };
  },
});
