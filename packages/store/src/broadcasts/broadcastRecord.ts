import { BROADCAST_STATES, type BroadcastState, type MessageHeader } from '@ruyi/contracts';
import { DamagedError } from '../damage.ts';
import { parseJson } from '../entries.ts';

/** Everyone `/user/token` has registered, or the subscribers of a channel. */
export type Audience = { known_users: true } | { channel_id: string; channel_type: number };

/** What a broadcast is, decided when it is created. */
export interface BroadcastSpec {
  name: string;
  from: string;
  header: MessageHeader;
  setting: number;
  topic: string;
  expire: number;
  /** the client_msg_no that all of its messages share */
  clientMsgNo: string;
  /** recipients a second, 0 without a limit */
  rate: number;
  /** seconds, 0 when told */
  startAt: number;
  audience?: Audience;
}

/** What is kept of a broadcast. Times are seconds of Redis' clock, 0 as long as they are not known. */
export interface BroadcastRecord {
  no: string;
  spec: BroadcastSpec;
  state: BroadcastState;
  /** counts the times a coordinator was asked for: a later one ends an earlier one */
  run: number;
  accepted: number;
  duplicates: number;
  invalid: number;
  /** undefined until duplicates over all parts are known */
  total?: number;
  /** handed out to jobs: these are stored, or they fail */
  claimed: number;
  cancelled: number;
  /** names body and progress, once they exist */
  ref?: string;
  /** every recipient has a position: jobs may be made */
  isReady: boolean;
  /** recipients of a chunk, at most */
  chunk: number;
  /** of the audience, source shards that are gathered */
  gathered: number;
  /** the failed ones are tried again */
  isRetrying: boolean;
  createdAt: number;
  /** when it begins; at first that of the spec */
  startAt: number;
  uploadedAt: number;
  startedAt: number;
  finishedAt: number;
  /** recipients a second, and the second in which that was measured */
  rateNow: number;
  measuredAt: number;
}

/** What a job has of a broadcast in one shard. */
export interface Claim {
  shard: number;
  /** number of its chunk, and position of its first recipient */
  chunk: number;
  start: number;
  count: number;
  /** recipients of a chunk in this shard; a job has one or two of each shard */
  size: number;
  /** where its uids lie in the list of the shard, in bytes */
  offset: number;
  length: number;
}

/** The fields of `about` that a record is made of. */
export const RECORD_FIELDS = [
  'spec',
  'state',
  'run',
  'accepted',
  'duplicates',
  'invalid',
  'total',
  'claimed',
  'cancelled',
  'ref',
  'ready',
  'chunk',
  'gathered',
  'retrying',
  'created',
  'start_at',
  'uploaded',
  'started',
  'finished',
  'rate_now',
  'measured',
] as const;

/** @throws DamagedError */
export function recordOf(no: string, values: (string | null)[]): BroadcastRecord {
  const text = (field: (typeof RECORD_FIELDS)[number]) => values[RECORD_FIELDS.indexOf(field)] ?? '';
  const number = (field: (typeof RECORD_FIELDS)[number]) => {
    const value = Number(text(field));
    if (!Number.isFinite(value)) throw new DamagedError(`its ${field} is no number`);
    return value;
  };
  const spec = parseJson(text('spec'));
  if (!isSpec(spec)) throw new DamagedError('it is not described');
  return {
    no,
    spec,
    state: stateOf(text('state')),
    run: number('run'),
    accepted: number('accepted'),
    duplicates: number('duplicates'),
    invalid: number('invalid'),
    ...(text('total') === '' ? {} : { total: number('total') }),
    claimed: number('claimed'),
    cancelled: number('cancelled'),
    ...(text('ref') === '' ? {} : { ref: text('ref') }),
    isReady: text('ready') === '1',
    chunk: number('chunk'),
    gathered: number('gathered'),
    isRetrying: text('retrying') === '1',
    createdAt: number('created'),
    startAt: number('start_at'),
    uploadedAt: number('uploaded'),
    startedAt: number('started'),
    finishedAt: number('finished'),
    rateNow: number('rate_now'),
    measuredAt: number('measured'),
  };
}

const isSpec = (value: unknown): value is BroadcastSpec =>
  typeof value === 'object' && value !== null && 'from' in value && 'header' in value && 'rate' in value;

/** @throws DamagedError */
export function stateOf(value: unknown): BroadcastState {
  const state = BROADCAST_STATES.find((known) => known === value);
  if (state === undefined) throw new DamagedError('its state is none');
  return state;
}

/** `<recipients>:<bytes>` */
export function cursorOf(text: string): { index: number; offset: number } {
  const [index = 0, offset = 0] = text.split(':').map(Number);
  return { index, offset };
}

const CLAIM_FIELDS = ['shard', 'chunk', 'start', 'count', 'size', 'offset', 'length'] as const;

/** What a job has of several shards; of one, as earlier versions noted it. @throws DamagedError */
export function claimsOf(text: string): Claim[] {
  const noted = parseJson(text);
  const claims: unknown[] = Array.isArray(noted) ? noted : [noted];
  if (claims.length === 0 || !claims.every(isClaim)) {
    throw new DamagedError('what a job has of it is not described');
  }
  return claims;
}

const isClaim = (value: unknown): value is Claim =>
  typeof value === 'object' &&
  value !== null &&
  CLAIM_FIELDS.every((field) => Number.isInteger(Reflect.get(value, field)));
