import { InvalidRequestError, MAX_PART } from '@ruyi/contracts';
import type { BroadcastAction } from '@ruyi/store';
import { readBroadcast, recordOf } from '../broadcasts/broadcastAnswer.ts';
import { changeBroadcast } from '../broadcasts/changeBroadcast.ts';
import { createBroadcast } from '../broadcasts/createBroadcast.ts';
import { failuresOf } from '../broadcasts/failures.ts';
import { listBroadcasts } from '../broadcasts/listBroadcasts.ts';
import { uploadPart } from '../broadcasts/uploadPart.ts';
import { type Route, route } from '../http/route.ts';
import { HELLO } from '../openapi/examples.ts';

const create = route({
  method: 'POST',
  path: '/broadcasts',
  operation: 'createBroadcast',
  summary: 'Creates a broadcast',
  request: 'BroadcastCreate',
  example: { name: 'spring', from_uid: 'shop', payload: HELLO },
  answer: 'BroadcastCreated',
  errors: ['idempotency_conflict'],
  handle: async (context, request) => {
    const { no, isReplayed } = await createBroadcast(context, request);
    const headers: Record<string, string> = isReplayed ? { 'Idempotent-Replayed': 'true' } : {};
    return { body: { broadcast_no: no, state: 'open' }, headers };
  },
});

const list = route({
  method: 'GET',
  path: '/broadcasts',
  operation: 'broadcasts',
  summary: 'Broadcasts and large batches, newest first',
  request: 'BroadcastsQuery',
  answer: 'BroadcastListAnswer',
  handle: async ({ store }, request) => ({
    body: await listBroadcasts(store, request),
  }),
});

const show: Route = {
  method: 'GET',
  path: '/broadcasts/:no',
  operation: 'broadcastReport',
  summary: 'Where a broadcast stands',
  answer: 'BroadcastAnswer',
  handle: async ({ store }, _schemas, _input, { params }) => ({ body: await readBroadcast(store, params.no ?? '') }),
};

const failures: Route = {
  method: 'GET',
  path: '/broadcasts/:no/failures',
  operation: 'broadcastFailures',
  summary: 'Who did not get it, and why',
  answer: { types: ['application/x-ndjson'], about: 'a line for each recipient', line: 'BroadcastFailure' },
  handle: async ({ store }, _schemas, _input, { params }) => ({
    body: '',
    lines: await failuresOf(store, params.no ?? ''),
  }),
};

const recipients: Route = {
  method: 'PUT',
  path: '/broadcasts/:no/recipients/:part',
  operation: 'uploadRecipients',
  summary: 'Uploads recipients, a uid a line, while the broadcast is open',
  answer: 'PartAnswer',
  errors: ['idempotency_conflict', 'wrong_state', 'busy', 'overloaded'],
  async receive(context, request, { params, idleMs }) {
    const record = await recordOf(context.store, params.no ?? '');
    return { body: await uploadPart(context, record, partOf(params.part ?? ''), request, idleMs) };
  },
};

function partOf(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidRequestError([{ path: 'part', message: `must be a whole number from 0 to ${MAX_PART}` }]);
}

const start = route({
  method: 'POST',
  path: '/broadcasts/:no/start',
  operation: 'startBroadcast',
  summary: 'Starts an open broadcast, schedules it, or changes when a scheduled one begins',
  request: 'BroadcastStart',
  mayLackBody: true,
  example: { start_at: 0 },
  answer: 'BroadcastAnswer',
  errors: ['wrong_state'],
  async handle(context, { start_at }, { params }) {
    const no = params.no ?? '';
    await changeBroadcast(context, no, 'start', start_at);
    return { body: await readBroadcast(context.store, no) };
  },
});

const change = (action: Exclude<BroadcastAction, 'start'>, summary: string): Route => ({
  method: 'POST',
  path: `/broadcasts/:no/${action}`,
  operation: `${action}Broadcast`,
  summary,
  answer: 'BroadcastAnswer',
  errors: ['wrong_state'],
  async handle(context, _schemas, _input, { params }) {
    const no = params.no ?? '';
    await changeBroadcast(context, no, action);
    return { body: await readBroadcast(context.store, no) };
  },
});

export const broadcastRoutes: Route[] = [
  create,
  list,
  show,
  recipients,
  start,
  change('pause', 'Pauses a running broadcast'),
  change('resume', 'Goes on with a paused broadcast'),
  change('cancel', 'Cancels a broadcast that has not ended'),
  change('retry', 'Tries the failed recipients of an ended broadcast once more'),
  failures,
];
