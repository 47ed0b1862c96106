import { setTimeout as pause } from 'node:timers/promises';
import { channelName } from '@ruyi/contracts';
import { LANE_KINDS, openQueues, type Queues } from '@ruyi/queue';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { logPlace, payloadOf } from '../ledger/places.ts';
import { GROUP } from '../load/world.ts';
import { ruyi } from '../system/ruyi.ts';
import { LANES, SHARDS } from '../system/system.ts';
import type { Fault, FaultContext } from './fault.ts';

const HOUR_MS = 3_600_000;
const SET_ASIDE_DEADLINE_MS = 60_000;
const LEAST_PAUSE_MS = 500;

/** A dead letter that `ruyi dead list` must show in the end. */
interface Poisoned {
  /** part of the dead letter's id */
  id: string;
  reason: string;
  /** the log that was broken, if a retry must store the message */
  brokenLog?: string;
}

/** Adds jobs that are not JSON, of an unknown kind, or whose script call fails; then retries them with `ruyi dead retry`. */
export const poison: Fault = async (context) => {
  const queues = openQueues(context.system.redis.client, LANES);
  const until = performance.now() + context.forMs * 0.7;
  const poisoned: Poisoned[] = [];
  do {
    const n = poisoned.length;
    poisoned.push(await breakLog(context), await unreadable(context, queues, n));
    poisoned.push(await addJob(context, queues, `strange-${n}`, 'strange', {}, 'no handler for strange jobs'));
    poisoned.push(await addJob(context, queues, `empty-${n}`, 'send', { items: [{}] }, 'invalid send job'));
    context.count('poisoned jobs', 4);
    await pause(context.random.whole(LEAST_PAUSE_MS, 3000));
  } while (performance.now() < until);
  try {
    await bringBack(context, poisoned);
  } finally {
    // Dead letters that cannot be retried are deleted, as an operator would do.
    for (const job of await queues.dead.getFailed())
      if (poisoned.some(({ id }) => job.id?.includes(id))) await job.remove();
    await queues.close();
  }
};

/** Sends a message to a log whose key is not a sorted set: the API accepts it, and Redis refuses to store it. */
async function breakLog({ system, http, ledger, random }: FaultContext): Promise<Poisoned> {
  const id = `broken-${ledger.sent.length}`;
  const log = keys.log(shardOf(channelName(GROUP, id), evenShards(SHARDS)), channelName(GROUP, id));
  await system.redis.client.set(log, 'no log');
  const sent = ledger.open({
    order: `to ${id}`,
    sender: 'poisoner',
    places: [logPlace(GROUP, id)],
    batchSize: 0,
    isCommand: false,
    keyed: true,
    word: 'poison',
  });
  const body = { channel_id: id, channel_type: GROUP, from_uid: 'poisoner', client_msg_no: `no-${sent.n}` };
  const port = system.apiPorts[random.whole(0, system.apiPorts.length - 1)] ?? 0;
  const reply = await http.call(port, 'POST', '/message/send', { ...body, payload: payloadOf(sent.n, sent.word) });
  if (reply.status !== 200) throw new Error(`the message to ${id} was answered ${reply.status}`);
  const messageId = Number(reply.body.data.message_id);
  ledger.answer(sent, { at: performance.now(), messageId });
  return { id: String(messageId), reason: 'WRONGTYPE', brokenLog: log };
}

const someLane = ({ random }: FaultContext, queues: Queues) =>
  queues.lane(random.pick([LANE_KINDS[0] ?? 'send', ...LANE_KINDS.slice(1)]), random.whole(0, LANES - 1));

/** Damages the data of a real job while it waits, when no worker can have it. */
async function unreadable(context: FaultContext, queues: Queues, n: number): Promise<Poisoned> {
  const queue = someLane(context, queues);
  const jobId = `torn-${n}.1`;
  const job = await queue.add('send', { items: [] }, { jobId, delay: HOUR_MS });
  await context.system.redis.client.hset(queue.toKey(jobId), 'data', '{"items":[{"id"');
  await job.promote();
  return { id: jobId, reason: 'job data is no JSON' };
}

async function addJob(
  context: FaultContext,
  queues: Queues,
  jobId: string,
  name: string,
  data: object,
  reason: string,
): Promise<Poisoned> {
  await someLane(context, queues).add(name, data, { jobId });
  return { id: jobId, reason };
}

/** Checks that all dead letters are listed with their reasons, and retries messages once their logs are repaired. */
async function bringBack({ system, findings }: FaultContext, poisoned: Poisoned[]): Promise<void> {
  let lines: string[] = [];
  const lineOf = ({ id, reason }: Poisoned) => lines.find((line) => line.includes(id) && line.includes(reason));
  const areListed = async () => {
    const { output } = await ruyi(system.env, 'dead', 'list', '--json');
    lines = output.split('\n');
    const missing = poisoned.filter((letter) => lineOf(letter) === undefined);
    if (missing.length > 0) throw new Error(`not listed: ${JSON.stringify(missing)}\n${output}`);
    return true;
  };
  const listed = { what: '`ruyi dead list --json` to show every poisoned job', deadlineMs: SET_ASIDE_DEADLINE_MS };
  await waitFor(areListed, { ...listed, everyMs: 500 });
  for (const letter of poisoned) {
    if (letter.brokenLog === undefined) continue;
    await system.redis.client.del(letter.brokenLog);
    const deadId = String(JSON.parse(lineOf(letter) ?? '{}').id);
    const { code, output } = await ruyi(system.env, 'dead', 'retry', deadId);
    if (code !== 0) findings.add('stuck', `ruyi dead retry ${deadId}: exit ${code}, ${output}`);
  }
  const logs = poisoned.flatMap(({ brokenLog }) => brokenLog ?? []);
  const areBack = async () => {
    for (const log of logs) if ((await system.redis.client.zcard(log)) === 0) throw new Error(`${log} is empty`);
    return true;
  };
  await waitFor(areBack, { what: 'retried messages to be stored', deadlineMs: SET_ASIDE_DEADLINE_MS });
}
