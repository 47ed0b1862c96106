import { laneQueue, openQueues } from '@ruyi/queue';
import { LanePlans } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { testSystem } from './harness.ts';

const system = testSystem(['worker'], { LANES: '2' });
const uids = Array.from({ length: 200 }, (_, i) => `u${i}`);

test('a batch of which half is queued when the lanes change is completed on the new ones, and a repeat changes nothing', async () => {
  const { client } = system.redis;
  const batch = { from_uid: 'news', subscribers: uids, payload: 'aGk=', client_msg_no: 'once' };
  const plans = new LanePlans(client);
  const plan = (await plans.read()) ?? expect.fail('there is a plan');
  // The second of two lanes is closed already: the other one takes its jobs, and five lanes follow.
  const { name, prefix } = laneQueue('fanout', 1);
  await client.set(`${prefix}:${name}:id`, 'closed');
  await plans.change(plan, { ...plan, next: 5 });
  const { status, body } = await system.sendBatch(batch);
  expect(status).toBe(200);
  // It is answered once it is stored, because what is sent later could overtake it.
  expect(await system.progress(body.batch_no)).toMatchObject({ total: 200, stored: 200, state: 'done' });
  await everybodyHasItOnce();

  // As if the API had been killed before it noted that everything is queued.
  const [key = ''] = await client.keys('r:{*}:idem:*');
  const record = (await client.get(key)) ?? '';
  await client.set(key, record.replace(/^Q/, 'R'), 'KEEPTTL');
  expect(await client.get(key)).not.toBe(record);
  expect((await system.sendBatch(batch)).body).toEqual(body);
  await waitFor(settled, { what: 'the change to end' });
  await everybodyHasItOnce();
});

async function everybodyHasItOnce(): Promise<void> {
  for (const uid of uids) {
    const { messages } = await system.messageSync({ login_uid: uid, channel_id: 'news', channel_type: 1 });
    expect(messages.map(({ message_seq }) => message_seq)).toEqual([1]);
  }
  expect(new Set(await batchIds()).size).toBe(200);
}

/** No job is left on lanes of any generation. */
async function settled(): Promise<boolean> {
  const queues = openQueues(system.redis.client, 2);
  const { draining } = await queues.advance();
  await queues.close();
  const { body } = await system.get<{ lanes: { jobs: number }[] }>('/status');
  return draining === undefined && body.lanes.every(({ jobs }) => jobs === 0);
}

/** The message ids that everybody got. */
async function batchIds(): Promise<string[]> {
  const logs = uids.map((uid) => system.messageSync({ login_uid: uid, channel_id: 'news', channel_type: 1 }));
  return (await Promise.all(logs)).flatMap(({ messages }) => messages.map(({ message_idstr }) => message_idstr));
}

test('GET /status names processes and lanes; backlog and memory are numbers, and there is no secret in it', async () => {
  const shared = async () => {
    const { body } = await system.get<{ lanes: { name: string; worker: string | null }[] }>('/status');
    return body.lanes.every(({ worker }) => worker !== null) ? body : undefined;
  };
  const body = await waitFor(shared, { what: 'the lanes to have a worker' });
  const worker = expect.stringMatching(/^worker-/);
  const queue = { jobs: 0, backlog: 0, oldest_job_at: null };
  expect(body).toEqual({
    lanes_of_each_kind: 5,
    lanes_changing_to: null,
    processes: [
      expect.objectContaining({ role: 'api', lanes: [] }),
      expect.objectContaining({
        role: 'worker',
        name: worker,
        lanes: expect.arrayContaining(['send.4.g1', 'fanout.0.g1']),
      }),
    ],
    lanes: ['send', 'fanout'].flatMap((kind) =>
      [0, 1, 2, 3, 4].map((lane) => ({ name: `${kind}.${lane}.g1`, kind, worker, ...queue })),
    ),
    broadcasts: [],
    index: { jobs: expect.any(Number), backlog: expect.any(Number), oldest_job_at: expect.any(Number) },
    redis: [{ node: expect.any(String), memory_bytes: expect.any(Number), memory_max_bytes: expect.any(Number) }],
  });
});
