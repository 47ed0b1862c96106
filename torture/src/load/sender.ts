import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '@ruyi/testkit';
import type { Findings } from '../findings.ts';
import type { Ledger, Sent } from '../ledger/ledger.ts';
import { bodyOf, type Draft, draftFor, someWord } from './drafts.ts';
import { CutError, type Http, RefusedError, type Reply } from './http.ts';
import type { World } from './world.ts';

/** What all senders share. */
export interface LoadContext {
  http: Http;
  world: World;
  ledger: Ledger;
  findings: Findings;
  /** ports on which an API can be reached now */
  ports(): number[];
  stats: LoadStats;
  /** when aborted, nothing new is begun; what was begun is repeated until it is answered */
  stop: AbortSignal;
}

/** Counts of outcomes. The running fault reads them too. */
export interface LoadStats {
  statuses: Map<number, number>;
  /** what was said with 500 and 503, and how often */
  failures: Map<string, number>;
  refused: number;
  cut: number;
  /** those among them on connections that had not been used before */
  cutFresh: number;
  latencies: number[];
}

const PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 500;
const KEYED_SHARE = 0.85;
const WAIT_SHARE = 0.05;
const REPEAT_SHARE = 0.03;
const TWICE_SHARE = 0.03;

export function noteStatus({ statuses, failures }: LoadStats, what: string, { status, body }: Reply): void {
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  if (status < 500) return;
  const said = `${what}: ${status} ${body.msg}`;
  failures.set(said, (failures.get(said) ?? 0) + 1);
}

/** Sends one request after the other until the signal aborts. */
export async function runSender(context: LoadContext, sender: string, random: Random): Promise<void> {
  const { ledger } = context;
  const own: { sent: Sent; send: () => Promise<boolean> }[] = [];
  while (!context.stop.aborted) {
    const draft = draftFor(random, sender, context.world);
    const keyed = random.next() < KEYED_SHARE;
    const sent = ledger.open({ ...draft.entry, sender, keyed, word: someWord(random) });
    const send = sendOf(context, draft, sent, random);
    // Two requests at once with the same client_msg_no are one message.
    const tries = keyed && random.next() < TWICE_SHARE ? 2 : 1;
    await Promise.all(Array.from({ length: tries }, send));
    if (keyed && sent.answers.length > 0) own.push({ sent, send });
    const before = own[random.whole(0, Math.max(0, own.length - 1))];
    if (before && random.next() < REPEAT_SHARE) await before.send();
    await pause(random.whole(0, 2 * PAUSE_MS));
  }
}

/** Repeats a request until it is answered. Without a client_msg_no it is only repeated if nothing was queued for sure. */
function sendOf(context: LoadContext, draft: Draft, sent: Sent, random: Random): () => Promise<boolean> {
  const body = bodyOf(draft, sent, random);
  const waits = draft.hasSeq && random.next() < WAIT_SHARE;
  const headers: Record<string, string> = waits ? { prefer: 'wait=10' } : {};
  return async () => {
    for (let wait = 20; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      const outcome = await tryOnce(context, draft, sent, body, headers, random);
      if (outcome === 'answered' || outcome === 'wrong') return outcome === 'answered';
      if (outcome === 'unknown') {
        sent.unknown++;
        if (!sent.keyed) return false;
      }
      await pause(random.whole(1, wait));
    }
  };
}

async function tryOnce(
  { http, ledger, findings, ports, stats }: LoadContext,
  { path }: Draft,
  sent: Sent,
  body: object,
  headers: Record<string, string>,
  random: Random,
): Promise<'answered' | 'nothing queued' | 'unknown' | 'wrong'> {
  const from = performance.now();
  const [first = 0, ...others] = ports();
  let reply: Reply;
  try {
    reply = await http.call(random.pick([first, ...others]), 'POST', path, body, { headers });
  } catch (error) {
    if (error instanceof RefusedError) stats.refused++;
    else stats.cut++;
    if (error instanceof CutError && error.isFresh) stats.cutFresh++;
    return error instanceof RefusedError ? 'nothing queued' : 'unknown';
  }
  const at = performance.now();
  stats.latencies.push(at - from);
  noteStatus(stats, `POST ${path}`, reply);
  if (reply.status === 429) return 'nothing queued';
  if (reply.status === 503) return 'unknown';
  if (reply.status !== 200) {
    findings.add('wrong answer', `n${sent.n} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.status >= 500 ? 'unknown' : 'wrong';
  }
  const { data, batch_no: batchNo } = reply.body;
  const answer = batchNo === undefined ? { messageId: Number(data.message_id) } : { batchNo: String(batchNo) };
  const seq = data?.message_seq;
  ledger.answer(sent, { at, ...answer, ...(seq === undefined ? {} : { seq: Number(seq) }) });
  return 'answered';
}
