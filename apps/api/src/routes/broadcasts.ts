import { InvalidRequestError, MAX_PART } from '@ruyi/contracts';
import type { BroadcastAction } from '@ruyi/store';
import { readBroadcast, recordOf } from '../broadcasts/broadcastAnswer.ts';
import { changeBroadcast } from '../broadcasts/changeBroadcast.ts';
import { createBroadcast } from '../broadcasts/createBroadcast.ts';
import { failuresOf } from '../broadcasts/failures.ts';
import { listBroadcasts } from '../broadcasts/listBroadcasts.ts';
import { uploadPart } from '../broadcasts/uploadPart.ts';
import { type Route, route } from '../http/route.ts';

const create = route('POST', '/broadcasts', 'BroadcastCreate', async (context, request) => {
  const { no, isReplayed } = await createBroadcast(context, request);
  const headers: Record<string, string> = isReplayed ? { 'Idempotent-Replayed': 'true' } : {};
  return { body: { broadcast_no: no, state: 'open' }, headers };
});

const list = route('GET', '/broadcasts', 'BroadcastsQuery', async ({ store }, request) => ({
  body: await listBroadcasts(store, request),
}));

const show: Route = {
  method: 'GET',
  path: '/broadcasts/:no',
  handle: async ({ store }, _schemas, _input, { params }) => ({ body: await readBroadcast(store, params.no ?? '') }),
};

const failures: Route = {
  method: 'GET',
  path: '/broadcasts/:no/failures',
  handle: async ({ store }, _schemas, _input, { params }) => ({
    body: '',
    lines: await failuresOf(store, params.no ?? ''),
  }),
};

const recipients: Route = {
  method: 'PUT',
  path: '/broadcasts/:no/recipients/:part',
  async receive(context, request, { params, idleMs }) {
    const record = await recordOf(context.store, params.no ?? '');
    return { body: await uploadPart(context, record, partOf(params.part ?? ''), request, idleMs) };
  },
};

function partOf(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidRequestError([{ path: 'part', message: `must be a whole number from 0 to ${MAX_PART}` }]);
}

const change = (action: BroadcastAction): Route => ({
  method: 'POST',
  path: `/broadcasts/:no/${action}`,
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
  change('start'),
  change('pause'),
  change('resume'),
  change('cancel'),
  change('retry'),
  failures,
];
