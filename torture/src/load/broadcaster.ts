import { setTimeout as pause } from 'node:timers/promises';
import { channelName } from '@ruyi/contracts';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { type Random, waitFor } from '@ruyi/testkit';
import { inboxPlace, logPlace, payloadOf } from '../ledger/places.ts';
import type { SentBroadcast } from '../ledger/sentBroadcast.ts';
import { SHARDS, type System } from '../system/system.ts';
import { type BroadcastDraft, broadcastDraftFor } from './broadcastDrafts.ts';
import { BroadcastRun } from './broadcastRun.ts';
import { someWord } from './drafts.ts';
import type { LoadContext } from './sender.ts';
import { uploadParts } from './uploadParts.ts';

type Redis = System['redis']['client'];

const REDIS_DEADLINE_MS = 60_000;
const MOST_ACTIONS = 5;
const LONGEST_PAUSE_MS = 500;
const EARLY_CANCEL_SHARE = 0.05;
const MOST_RETRIES = 6;

/**
 * Sends one broadcast after the other until the signal aborts, and does to each what may be done: uploads its parts in any
 * order, starts, pauses, resumes and cancels it, and retries those that failed. What was begun is brought to its end.
 */
export async function runBroadcaster(
  context: LoadContext,
  redis: Redis,
  sender: string,
  random: Random,
): Promise<void> {
  const begun: [BroadcastRun, BroadcastDraft][] = [];
  while (!context.stop.aborted) {
    const draft = broadcastDraftFor(random, context.ledger.sent.length, context.world);
    const broadcast = open(context, draft, sender, random);
    const run = new BroadcastRun(context, broadcast, random, (run) => uploadParts(run, draft.parts, random));
    await eachBroken(sender, draft.broken, (key) => redis.set(key, 'no log'));
    await send(run, draft, random);
    await mendAndRetry(run, draft, redis, random);
    begun.push([run, draft]);
    await pause(random.whole(0, LONGEST_PAUSE_MS));
  }
  // A power failure may have taken the end of one that had ended, and the repair of its logs.
  for (const [run, draft] of begun) {
    if (!run.isHarmed && draft.broken.length === 0) continue;
    await run.end();
    await mendAndRetry(run, draft, redis, random);
  }
}

/** Repairs the logs that are broken, and retries until nobody is left who failed. */
async function mendAndRetry(run: BroadcastRun, draft: BroadcastDraft, redis: Redis, random: Random): Promise<void> {
  const { sender } = run.broadcast.sent;
  const mend = async (key: string) => {
    // A power failure may have taken the fault; then there are messages in it.
    if ((await redis.type(key)) === 'string') await redis.del(key);
  };
  for (let tries = 0; tries < MOST_RETRIES && (await mustRetry(run, draft)); tries++) {
    await eachBroken(sender, draft.broken, mend);
    await run.act('retry');
    if (random.next() < 0.3) await run.act(random.pick(['pause', 'cancel', 'pause']));
    await run.end();
  }
  // It may have been cancelled before it came to them.
  await eachBroken(sender, draft.broken, mend);
}

function open({ ledger }: LoadContext, draft: BroadcastDraft, sender: string, random: Random): SentBroadcast {
  const { recipients, isCommand, expected } = draft;
  const sent = ledger.open({
    sender,
    order: `broadcast ${ledger.sent.length}`,
    places: recipients.map((uid) => (isCommand ? inboxPlace(uid) : logPlace(1, uid, sender))),
    batchSize: 0,
    isCommand,
    keyed: true,
    word: someWord(random),
  });
  const broadcast: SentBroadcast = { sent, expected, answeredAt: [], isCancelled: false, isGone: false };
  ledger.broadcasts.push(broadcast);
  return broadcast;
}

async function send(run: BroadcastRun, draft: BroadcastDraft, random: Random): Promise<void> {
  const { sent } = run.broadcast;
  const message = { from_uid: sent.sender, payload: payloadOf(sent.n, sent.word), client_msg_no: `no-${sent.n}` };
  await run.create({ ...draft.fields, ...message });
  await run.upload();
  if (random.next() < EARLY_CANCEL_SHARE) await run.act('cancel');
  await run.act('start');
  for (let left = random.whole(0, MOST_ACTIONS); left > 0; left--) {
    await pause(random.whole(0, LONGEST_PAUSE_MS));
    await run.act(random.pick(['pause', 'resume', 'pause', 'resume', 'start', 'list', 'failures', 'cancel']));
  }
  await run.end();
}

/** Checks who failed: nobody but those whose logs are broken. @returns whether somebody did */
async function mustRetry(run: BroadcastRun, { broken }: BroadcastDraft): Promise<boolean> {
  const { end, isGone } = run.broadcast;
  if (isGone || !end || end.failed === 0) return false;
  const failures = await run.failures();
  const others = failures.filter((uid) => !broken.includes(uid));
  if (others.length > 0 || failures.length !== end.failed) {
    run.found('wrong answer', `${end.failed} failed, the failures are ${failures.slice(0, 5).join(', ')}`);
  }
  return others.length === 0;
}

/** Does something to the logs of these recipients, as often as it takes: Redis may be away. */
async function eachBroken(sender: string, uids: string[], work: (key: string) => Promise<unknown>) {
  for (const uid of uids) {
    const channel = channelName(1, uid, sender);
    const key = keys.log(shardOf(channel, evenShards(SHARDS)), channel);
    const done = async () => {
      await work(key);
      return true;
    };
    await waitFor(done, { what: `Redis to change ${key}`, deadlineMs: REDIS_DEADLINE_MS, everyMs: 200 });
  }
}
