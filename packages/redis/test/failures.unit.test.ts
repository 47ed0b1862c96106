import { isTransient, isUnavailable, untilServed } from '@ruyi/redis';
import { expect, test } from 'vitest';

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
const signal = new AbortController().signal;

test.each([
  [reply('LOADING Redis is loading the dataset in memory'), true, true],
  [reply("OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user_script:1."), true, true],
  [reply("READONLY You can't write against a read only replica. script: abc, on @user_script:1."), true, true],
  [reply('MISCONF Redis is configured to save RDB snapshots'), true, true],
  [reply('CLUSTERDOWN The cluster is down'), true, true],
  [reply('ERR WAIT cannot be used with replica instances.'), true, true],
  [reply('UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'), true, true],
  [reply('BUSY Redis is busy running a script'), true, true],
  [reply('ERR something of a later version'), true, false],
  [reply('WRONGTYPE Operation against a key holding the wrong kind of value'), false, false],
  [reply('ERR value is not an integer or out of range'), false, false],
  [reply('ERR increment or decrement would overflow'), false, false],
  [reply('ERR user_script:3: attempt to index a nil value script: abc, on @user_script:3.'), false, false],
  [new Error('Connection is closed.'), true, true],
  [new Error('Command aborted due to connection close'), true, true],
  [new Error('Command timed out'), true, true],
  [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), true, true],
  [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), true, true],
  [Object.assign(new Error('x'), { name: 'MaxRetriesPerRequestError' }), true, true],
  [new Error('Too many Cluster redirections. Last error: Error: x'), true, true],
  [new TypeError('undefined is not a function'), false, false],
  ['no error at all', false, false],
])('%s: transient %s, unavailable %s', (error, transient, unavailable) => {
  expect([isTransient(error), isUnavailable(error)]).toEqual([transient, unavailable]);
});

test('work is repeated until it is served', async () => {
  let calls = 0;
  const work = async () => {
    if (++calls < 3) throw reply('LOADING');
    return calls;
  };
  expect(await untilServed(work, signal)).toBe(3);
});

test('an error that repetition does not heal is thrown at once', async () => {
  let calls = 0;
  const work = async () => {
    calls++;
    throw reply('WRONGTYPE');
  };
  await expect(untilServed(work, signal)).rejects.toThrow('WRONGTYPE');
  expect(calls).toBe(1);
});

test('repeating ends when the process stops', async () => {
  const stop = new AbortController();
  const work = async () => {
    stop.abort();
    throw reply('LOADING');
  };
  await expect(untilServed(work, stop.signal)).rejects.toThrow();
  await expect(untilServed(async () => 1, stop.signal)).rejects.toThrow();
});
