import { RedisRefusal, reachRedis, whileStarting } from '@ruyi/redis';
import { expectNoLeaks, freePort, startRedis, waitFor } from '@ruyi/testkit';
import { afterAll, expect, test } from 'vitest';

afterAll(expectNoLeaks);

function startingOn(redisUrl: string, signal?: AbortSignal) {
  const lines: string[] = [];
  const take = (line: string) => void lines.push(line);
  const starting = { settings: { redisUrl }, log: { warn: take, info: take }, ...(signal ? { signal } : {}) };
  return { lines, starting };
}

test('it waits until Redis is there, with one line every 10 s and not one for each try', async () => {
  const redis = await startRedis({ appendonly: true });
  await redis.kill();
  const { lines, starting } = startingOn(redis.url.replace('//', '//:hush@'));
  const reached = reachRedis(starting);
  await waitFor(() => lines.length === 2, { what: 'the second line', deadlineMs: 30_000 });
  expect(lines).toEqual(Array(2).fill(`waiting for Redis at redis://127.0.0.1:${redis.port}: ECONNREFUSED`));
  await redis.restart();
  await reached;
  expect(lines).toHaveLength(2);
  await redis.stop();
});

test('a Redis that takes connections and answers nothing is waited for', async () => {
  const redis = await startRedis({ appendonly: true });
  await redis.kill('SIGSTOP');
  const { lines, starting } = startingOn(redis.url);
  const reached = reachRedis(starting);
  await waitFor(() => lines.length > 0, { what: 'the line' });
  expect(lines).toEqual([expect.stringMatching(/^waiting for Redis at redis:\/\/[\d.:]+: Command timed out$/)]);
  await redis.kill('SIGCONT');
  await reached;
  await redis.stop();
});

test('a replica is waited for until it is the master', async () => {
  const [master, replica] = await Promise.all([startRedis(), startRedis({ appendonly: true })]);
  await replica.client.replicaof('127.0.0.1', master.port);
  const { lines, starting } = startingOn(replica.url);
  const reached = reachRedis(starting);
  await waitFor(() => lines.length > 0, { what: 'the line' });
  expect(lines[0]).toMatch(/: it is a replica, which takes no writes$/);
  await replica.client.replicaof('NO', 'ONE');
  await reached;
  await Promise.all([master.stop(), replica.stop()]);
});

test('a signal ends the waiting', async () => {
  const stop = new AbortController();
  const { lines, starting } = startingOn(`redis://127.0.0.1:${await freePort()}`, stop.signal);
  const reached = reachRedis(starting);
  await waitFor(() => lines.length > 0, { what: 'the line' });
  stop.abort();
  await expect(reached).rejects.toThrow(/abort/);
});

test('a step is repeated while Redis cannot serve; a forbidden one is a refusal, a defect is thrown', async () => {
  const { lines, starting } = startingOn('redis://host');
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
  const failures = [reply('LOADING Redis is loading the dataset in memory'), reply('OOM command not allowed')];
  const step = async () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return 'done';
  };
  expect(await whileStarting(step, starting)).toBe('done');
  expect(lines).toEqual(['waiting for Redis at redis://host:6379: LOADING Redis is loading the dataset in memory']);
  failures.push(reply("NOPERM this user has no permissions to run the 'hset' command"));
  await expect(whileStarting(step, starting)).rejects.toThrow(RedisRefusal);
  failures.push(new TypeError('a defect'));
  await expect(whileStarting(step, starting)).rejects.toThrow('a defect');
});
