import { once } from 'node:events';
import { createServer } from 'node:net';
import { textPayload } from '@ruyi/client';
import { openQueues } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { ruyi, testInstallation } from './commandLine.ts';

const installation = testInstallation();

interface Finding {
  check: string;
  status: string;
  message: string;
  fix?: string;
}

async function doctor(env: Record<string, string> = {}) {
  const { code, stdout } = await ruyi(['doctor', '--json'], { ...installation.env, ...env });
  const { status, checks } = JSON.parse(stdout) as { status: string; checks: Finding[] };
  return { code, status, checks, of: (check: string) => checks.filter((finding) => finding.check === check) };
}

test('messages that the index lost are noticed, whatever kind of channel they are in, until it is rebuilt', async () => {
  const { client, redis } = installation;
  const payload = textPayload('hello');
  const compared = (status: string, message: RegExp) =>
    waitFor(
      async () => {
        const [found] = (await doctor()).of('index');
        return found?.status === status && message.test(found.message) && found;
      },
      { what: `the index to be ${status}`, deadlineMs: 40_000, everyMs: 500 },
    );
  await client.send({ channel_id: 'room', channel_type: 2, from_uid: 'ann', payload });
  await client.send({ channel_id: 'bob', channel_type: 1, from_uid: 'ann', payload });
  await client.sendBatch({ subscribers: ['u1', 'u2'], payload });
  await compared('ok', /^4 messages of as many logs are in the index$/);

  // What the worker hands over to the indexer is lost.
  const connection = connect(redis.url, 'background', 'test');
  const queues = openQueues(connection, 2);
  await queues.index.pause();
  await client.send({ channel_id: 'lost', channel_type: 2, from_uid: 'ann', payload });
  const outbox = keys.outbox(shardOf('2:lost', evenShards(8)));
  await waitFor(async () => (await connection.llen(outbox)) === 1, { what: 'the reference' });
  await connection.del(outbox);
  // The wake-up tells of the message, too. A worker that has ended has sent it.
  await installation.stop('worker');
  await queues.index.drain();
  await queues.index.resume();
  await queues.close();
  connection.disconnect();
  const lost = await compared('fail', /^1 of 5 messages .* such as message_seq 1 of channel 2:lost$/);
  expect(lost.fix).toContain('ruyi reindex');
  expect((await ruyi(['reindex'], installation.env)).code).toBe(0);
  await compared('ok', /^5 messages/);
});

test('a port that something else has is found, and the code is 1', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const PORT = String(typeof address === 'object' ? address?.port : 0);
  const { code, status, of } = await doctor({ PORT });
  other.close();
  expect([code, status]).toEqual([1, 'fail']);
  expect(of('ports')[0]).toEqual({
    check: 'ports',
    status: 'fail',
    message: `PORT=${PORT}: something else listens on it`,
    fix: 'end it or set PORT to another port',
  });
});
