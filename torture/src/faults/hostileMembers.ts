import { setTimeout as pause } from 'node:timers/promises';
import { logPlace } from '../ledger/places.ts';
import { CutError, RefusedError, type Reply } from '../load/http.ts';
import { GROUP } from '../load/world.ts';
import type { Fault, FaultContext } from './fault.ts';

const SEND = '/message/send';
const SEARCH = '/plugins/wk.plugin.search/usersearch';
const GROUP_ID = 'hostile';
const MEMBERS = ['hostile1', 'hostile2', 'hostile3'];
/** How many searches each member runs at once. */
const SEARCHES_EACH = 4;
const SEND_EVERY_MS = 100;
const AGAIN_MS = 100;
/** A search is answered or refused within its deadline, however many are waiting. A busy machine adds to that. */
const ANSWER_DEADLINE_MS = 30_000;

const marks = (count: number) => '\u0301\u0327\u0323'.repeat(count / 3);
const distinct = (count: number) => String.fromCodePoint(...Array.from({ length: count }, (_, i) => 0x4e00 + i));

/** Payloads that the contract allows. Each once stopped or slowed the process that read it. `n` names the request. */
const PAYLOADS: [what: string, json: (n: number) => string][] = [
  ['many small objects', (n) => `{"content":"n${n} kilo","a":[${'{},'.repeat(80_000)}{}]}`],
  ['one character, many times', (n) => `{"content":"n${n} ${'一'.repeat(86_000)}"}`],
  ['deep arrays', (n) => `{"content":"n${n} deep","d":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ['many marks on one letter', (n) => `{"content":"n${n} a${marks(120_000)}"}`],
  ['a long word', (n) => `{"content":"n${n} ${'w'.repeat(200_000)}"}`],
  ['a long number', (n) => `{"content":"n${n} ${'8'.repeat(200_000)}"}`],
  ['many fields', (n) => `{"content":"n${n} fields",${Array.from({ length: 9000 }, (_, i) => `"f${i}":"v${i}"`)}}`],
  ['odd numbers and twice one key', (n) => `{"content":"x","big":12345678901234567890,"e":1e400,"content":"n${n} -0"}`],
];

const allHighlights = Array.from({ length: 32 }, (_, i) => `payload.${i === 0 ? 'content' : `f${i}`}`);

/** Searches that read as much as a search may. */
const SEARCHES: object[] = [
  { payload: { content: 'kilo' }, limit: 1000 },
  { payload: { content: '一'.repeat(1024) }, limit: 1000, highlights: ['payload.content'] },
  { payload: { content: '一'.repeat(4096) }, limit: 1000 },
  { payload: { content: [...distinct(512)].join(' ') }, limit: 1000, highlights: allHighlights },
  { payload: { content: '一' }, limit: 1000, highlights: ['payload.content', 'payload.content'] },
  { payload: Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`f${i}`, '一 8'.repeat(1024)])), limit: 1000 },
  { payload: { content: 'w'.repeat(4096) }, limit: 1000, highlights: ['payload.content'] },
  { limit: 1000, page: 3 },
];

/**
 * Members of a group who send and search what costs the most. Their messages are stored like all others, and a search of
 * theirs may be refused with 503. Nobody else may notice: no process ends, and the load continues meanwhile.
 */
export const hostileMembers: Fault = async (context) => {
  const { http, forMs, findings } = context;
  const until = performance.now() + forMs;
  const channel = { channel_id: GROUP_ID, channel_type: GROUP };
  const created = await http.call(portOf(context), 'POST', '/channel', { ...channel, subscribers: MEMBERS });
  if (created.status !== 200) findings.add('wrong answer', `the hostile group was answered ${created.status}`);
  const searching = MEMBERS.flatMap((uid) =>
    Array.from({ length: SEARCHES_EACH }, () => searchUntil(context, uid, until)),
  );
  await Promise.all([sendUntil(context, until), ...searching]);
};

const portOf = ({ system, random }: FaultContext): number =>
  system.apiPorts[random.whole(0, system.apiPorts.length - 1)] ?? 0;

async function sendUntil(context: FaultContext, until: number): Promise<void> {
  const { ledger, count } = context;
  for (let i = 0; performance.now() < until; i++) {
    const [, json] = PAYLOADS[i % PAYLOADS.length] ?? [];
    if (json === undefined) return;
    const sender = MEMBERS[0] ?? '';
    const place = logPlace(GROUP, GROUP_ID);
    const entry = { order: `to ${GROUP_ID}`, places: [place], batchSize: 0, isCommand: false, keyed: true, word: '' };
    const sent = ledger.open({ ...entry, sender });
    const body = {
      from_uid: sender,
      channel_id: GROUP_ID,
      channel_type: GROUP,
      payload: Buffer.from(json(sent.n)).toString('base64'),
      client_msg_no: `no-${sent.n}`,
    };
    const { status, body: answer } = await untilAnswered(context, SEND, body);
    if (status === 200) ledger.answer(sent, { at: performance.now(), messageId: Number(answer.data.message_id) });
    count('odd payloads');
    await pause(SEND_EVERY_MS);
  }
}

async function searchUntil(context: FaultContext, uid: string, until: number): Promise<void> {
  const { random, count } = context;
  while (performance.now() < until) {
    const search = SEARCHES[random.whole(0, SEARCHES.length - 1)];
    const { status } = await callOnce(context, SEARCH, { uid, ...search });
    count(status === 200 ? 'heavy searches answered' : 'heavy searches refused');
    if (status !== 200) await pause(AGAIN_MS);
  }
}

/** Repeats a request until it is answered 200, or 400, which callOnce reports. */
async function untilAnswered(context: FaultContext, path: string, body: object): Promise<Reply> {
  for (;;) {
    const reply = await callOnce(context, path, body);
    if (reply.status === 200 || reply.status === 400) return reply;
    await pause(AGAIN_MS);
  }
}

/** One try. @returns status 0 if there was no answer because the connection was refused or cut */
async function callOnce(context: FaultContext, path: string, body: object): Promise<Reply> {
  const { http, findings } = context;
  try {
    const reply = await http.call(portOf(context), 'POST', path, body, { deadlineMs: ANSWER_DEADLINE_MS });
    if (![200, 429, 503].includes(reply.status)) {
      findings.add(
        'wrong answer',
        `${path} of a hostile member: ${reply.status} ${JSON.stringify(reply.body).slice(0, 200)}`,
      );
    }
    return reply;
  } catch (error) {
    if (error instanceof RefusedError || error instanceof CutError) {
      findings.add('wrong answer', `${path} of a hostile member was not answered: ${error.message}`);
      return { status: 0, body: undefined };
    }
    throw error;
  }
}
