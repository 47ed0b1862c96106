import { waitFor } from '@ruyi/testkit';
import { beforeAll, expect, test } from 'vitest';
import { createClient, RuyiError, textPayload } from '../src/index.ts';
import { testInstallation } from './installation.ts';

const TOKEN = 'a token';
const installation = testInstallation({ API_TOKEN: TOKEN, MAX_BACKLOG: '1' });
const payload = textPayload({ type: 1, content: '你好' });
const client = (token = TOKEN) => createClient({ url: `${installation.url}/`, token });

beforeAll(async () => {
  await installation.start('api');
});

test('a refusal that a repeat can heal is repeated until it is healed', async () => {
  const ruyi = client();
  const room = { channel_id: 'full', channel_type: 2 };
  await ruyi.send({ ...room, payload });
  // The second waits in a queue that nobody works, so from then on every send is 429.
  const refused = await waitFor(
    () =>
      ruyi.send({ ...room, payload }, { retrySeconds: 0 }).then(
        () => undefined,
        (error: RuyiError) => error,
      ),
    { what: 'a 429' },
  );
  expect(refused).toMatchObject({ status: 429, code: 'overloaded', retryAfterSeconds: expect.any(Number) });
  const sent = ruyi.send({ ...room, payload: textPayload('at last') });
  await installation.start('worker');
  expect((await sent).data.client_msg_no).toMatch(/^[0-9a-f]{32}$/);
  await waitFor(async () => (await ruyi.messageSync(room)).messages.some((m) => m.payload === textPayload('at last')));
});

test('every endpoint is asked with its request and gives its answer', async () => {
  const ruyi = client();
  const channel = { channel_id: 'club', channel_type: 2 };
  const ok = { status: 200 };
  expect(await ruyi.registerUser({ uid: 'ann', token: 't' })).toEqual(ok);
  expect(await ruyi.putChannel({ ...channel, subscribers: ['ann', 'ben'], large: 1 })).toEqual(ok);
  expect(await ruyi.addSubscribers({ ...channel, subscribers: ['cid'] })).toEqual(ok);
  expect(await ruyi.removeSubscribers({ ...channel, subscribers: ['ben'] })).toEqual(ok);
  expect((await ruyi.subscribers({ ...channel, limit: 10 })).subscribers.sort()).toEqual(['ann', 'cid']);
  expect(await ruyi.putChannelInfo({ ...channel, ban: 1 })).toEqual(ok);
  expect(await ruyi.channelInfo(channel)).toMatchObject({ ...channel, ban: 1 });
  const sent = await ruyi.send({ ...channel, from_uid: 'ann', payload }, { headers: { Prefer: 'wait=20' } });
  expect(sent.data.message_seq).toBe(1);
  expect(await ruyi.maxMessageSeq(channel)).toEqual({ message_seq: 1 });
  const { messages } = await ruyi.messages({ ...channel, message_seqs: [1] });
  expect(messages).toMatchObject([{ message_id: sent.data.message_id, payload }]);
  expect((await ruyi.messageSync(channel)).messages).toEqual(messages);
  const batch = await ruyi.sendBatch({ subscribers: ['张三', 'a@b'], payload, header: { sync_once: 1 } });
  expect(batch).toMatchObject({ accepted: 1, fail_uids: ['a@b'] });
  const progress = await waitFor(async () => {
    const now = await ruyi.batchProgress({ batch_no: batch.batch_no });
    return now.state === 'done' && now;
  });
  expect(progress).toMatchObject({ total: 1, stored: 1, failed: 0 });
  expect(await ruyi.sync({ uid: '张三' })).toMatchObject([{ message_seq: 1, payload }]);
  expect(await ruyi.syncAck({ uid: '张三', last_message_seq: 1 })).toEqual(ok);
  expect(await ruyi.sync({ uid: '张三' })).toEqual([]);
  expect(await ruyi.deleteChannel(channel)).toEqual(ok);
  expect(await ruyi.health()).toMatchObject({ checks: expect.anything() });
  expect(await ruyi.metrics()).toContain('ruyi_http_request_seconds');
});

test('failures are told apart by their code', async () => {
  const ruyi = client();
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => 'it succeeded',
      (error: unknown) => error,
    );
  expect(await failure(client('another').sync({ uid: 'ann' }))).toMatchObject({ status: 401, code: 'unauthorized' });
  const broken = await failure(ruyi.sync({ uid: 'a@b' }, { headers: { 'x-request-id': 'mine' } }));
  expect(broken).toBeInstanceOf(RuyiError);
  expect(broken).toMatchObject({ status: 400, code: 'invalid_request', requestId: 'mine', errors: [{ path: 'uid' }] });
  expect(broken).toMatchObject({ doc: 'docs/errors.md#invalid_request' });
  const key = { channel_id: 'keyed', channel_type: 2, client_msg_no: 'one' };
  await ruyi.send({ ...key, payload });
  const conflict = await failure(ruyi.send({ ...key, payload: textPayload('another') }));
  expect(conflict).toMatchObject({ status: 409, code: 'idempotency_conflict' });
  expect(await failure(ruyi.batchProgress({ batch_no: 'a/b' }))).toMatchObject({ status: 404, code: 'not_found' });
  // Nothing listens on the port of "tcpmux".
  const nobody = createClient({ url: 'http://127.0.0.1:2', retrySeconds: 0 });
  expect(await failure(nobody.sync({ uid: 'ann' }))).toMatchObject({ status: 0, code: 'unreachable' });
});

test('recipients are uploaded while they are read from a stream, which is tried once', async () => {
  const ruyi = client();
  const streamed = (...lines: string[]) => new Blob(lines).stream();
  const { broadcast_no } = await ruyi.createBroadcast({ payload });
  const first = await ruyi.uploadRecipients({ broadcast_no, part: 0, lines: streamed('u1\n', 'u2\n', 'u1\n') });
  expect(first).toMatchObject({ part: 0, accepted: 3, duplicates: 1 });
  let tries = 0;
  const away = createClient({
    url: 'http://127.0.0.1:1',
    fetch: async () => {
      tries++;
      throw new TypeError('fetch failed');
    },
  });
  const lost = away.uploadRecipients({ broadcast_no, part: 1, lines: streamed('u3\n') });
  await expect(lost).rejects.toMatchObject({ code: 'unreachable' });
  expect(tries).toBe(1);
});

test('an abort ends a call that repeats, with its reason', async () => {
  const abort = new AbortController();
  const call = createClient({ url: 'http://127.0.0.1:2' }).sync({ uid: 'ann' }, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
});

test.each(['', 'localhost:5001', 'ftp://a', 'http://'])('the address %j is refused at once', (url) => {
  expect(() => createClient({ url })).toThrow(/must be http/);
});
