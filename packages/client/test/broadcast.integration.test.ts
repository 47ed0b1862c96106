import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '@ruyi/testkit';
import { beforeAll, expect, test } from 'vitest';
import { type BroadcastProgress, createClient, type PartReceipt, RuyiError, textPayload } from '../src/index.ts';
import { testInstallation } from './installation.ts';

const installation = testInstallation();
const payload = textPayload('to all');
const client = () => createClient({ url: installation.url });

beforeAll(async () => {
  await installation.start('worker');
});

async function* named(prefix: string, count: number) {
  for (let i = 0; i < count; i++) yield `${prefix}${i}`;
}

test('60,000 recipients, 1,000 of them twice, while the API is killed -9 again and again: each exactly one', {
  timeout: 300_000,
}, async () => {
  let isOver = false;
  let kills = 0;
  const killing = (async () => {
    for (;;) {
      const api = await installation.start('api');
      if (isOver && kills >= 2) return;
      // Long enough in the end, however slow the machine is.
      await pause(700 + 200 * kills);
      await api.kill('SIGKILL');
      kills++;
    }
  })();
  async function* uids() {
    yield* named('k', 60_000);
    yield* named('k', 1000);
  }
  const seen: BroadcastProgress[] = [];
  const report = await createClient({ url: installation.url, retrySeconds: 120 }).broadcast(uids(), {
    message: { payload, from_uid: 'kills', rate: 20_000 },
    recipientsPerPart: 5000,
    onProgress: (progress) => seen.push(progress),
  });
  isOver = true;
  await killing;
  const numbers = {
    accepted: 61_000,
    duplicates: 1000,
    invalid: 0,
    total: 60_000,
    stored: 60_000,
    failed: 0,
    cancelled: 0,
  };
  expect(report).toMatchObject({ state: 'done', ...numbers });
  expect(kills).toBeGreaterThanOrEqual(2);
  const uploaded = seen.flatMap((one) => (one.phase === 'uploading' ? [one.uploaded] : []));
  expect(uploaded).toEqual(Array.from({ length: 13 }, (_, i) => Math.min(61_000, (i + 1) * 5000)));
  const ruyi = client();
  for (const uid of ['k0', 'k999', 'k1000', 'k59999']) {
    const log = { login_uid: uid, channel_id: 'kills', channel_type: 1 };
    expect((await ruyi.messageSync(log)).messages).toMatchObject([{ message_seq: 1, payload }]);
  }
  expect((await ruyi.broadcasts({ from_uid: 'kills' })).broadcasts.length).toBe(1);
});

test('receipts let another process go on; a part with other recipients is refused', async () => {
  const message = { payload, from_uid: 'receipts' };
  const receipts: PartReceipt[] = [];
  const abort = new AbortController();
  const first = client().broadcast(named('r', 1000), {
    message,
    recipientsPerPart: 100,
    signal: abort.signal,
    onPart: (receipt) => {
      receipts.push(receipt);
      if (receipts.length === 4) abort.abort(new Error('died'));
    },
  });
  await expect(first).rejects.toThrow('died');
  expect(receipts.map(({ part, uids }) => [part, uids])).toEqual([0, 1, 2, 3].map((part) => [part, 100]));

  const changed = client().broadcast(named('x', 1000), { message, recipientsPerPart: 100, resume: receipts });
  const refusal = await changed.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RuyiError);
  expect(refusal).toMatchObject({ code: 'list_changed' });

  const rest: number[] = [];
  const report = await client().broadcast(named('r', 1000), {
    message,
    recipientsPerPart: 100,
    resume: receipts,
    onPart: ({ part }) => void rest.push(part),
  });
  expect(report).toMatchObject({ broadcast_no: receipts[0]?.broadcast_no, total: 1000, stored: 1000, duplicates: 0 });
  expect(rest).toEqual([4, 5, 6, 7, 8, 9]);
});

test('a uid that no line can hold is one invalid line; failures are read one by one', async () => {
  const ruyi = client();
  const report = await ruyi.broadcast(['good', 'two\nlines', '', '"quoted"'], {
    message: { payload, from_uid: 'odd' },
  });
  expect(report).toMatchObject({ state: 'done', accepted: 2, invalid: 2, stored: 2 });
  const { broadcast_no } = report;
  for await (const failure of await ruyi.broadcastFailures({ broadcast_no })) expect(failure).toBe('none');
  await expect(ruyi.startBroadcast({ broadcast_no: 'zzz' })).rejects.toMatchObject({ code: 'not_found' });
  await expect(ruyi.pauseBroadcast({ broadcast_no })).rejects.toMatchObject({ code: 'wrong_state', status: 409 });
});

test('an audience needs no list, and a broadcast is steered', async () => {
  const ruyi = client();
  const members = Array.from({ length: 40 }, (_, i) => `m${i}`);
  await ruyi.putChannel({ channel_id: 'club', channel_type: 2, subscribers: members });
  const message = { payload, audience: { channel_id: 'club', channel_type: 2 }, rate: 1 };
  const abort = new AbortController();
  let no = '';
  const watched = ruyi.broadcast(undefined, {
    message,
    signal: abort.signal,
    // The audience is taken after the start.
    onProgress: (progress) => {
      if (progress.phase === 'sending' && progress.report.total === 40) no = progress.broadcast_no;
    },
  });
  await waitFor(() => no !== '', { what: 'it to run' });
  abort.abort(new Error('seen enough'));
  await expect(watched).rejects.toThrow('seen enough');
  expect((await ruyi.pauseBroadcast({ broadcast_no: no })).state).toBe('paused');
  expect((await ruyi.resumeBroadcast({ broadcast_no: no })).state).toBe('running');
  await ruyi.cancelBroadcast({ broadcast_no: no });
  expect((await ruyi.watchBroadcast({ broadcast_no: no }, { everySeconds: 0.1 })).state).toBe('cancelled');
  const last = await waitFor(
    async () => {
      const report = await ruyi.broadcastReport({ broadcast_no: no });
      return report.finished_at > 0 && report;
    },
    { what: 'its last job to end' },
  );
  expect(last.stored + last.cancelled).toBe(40);
});
