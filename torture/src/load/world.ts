import { channelName } from '@ruyi/contracts';
import { laneOf, shardNumber } from '@ruyi/store';
import { LANES, SHARDS } from '../system/system.ts';

export const GROUP = 2;

/** The users and groups of a run. */
export interface World {
  /** users who send; each sends one request after the other */
  senders: string[];
  /** users who only receive */
  users: string[];
  /** the users whose commands are read and acknowledged while the load runs */
  readers: string[];
  groups: Group[];
  /** users who send broadcasts and nothing else, several at once */
  broadcasters: string[];
  /** whom broadcasts name; among them are all of `users` */
  recipients: string[];
  /** users who are registered, the audience `known_users` */
  registered: string[];
}

export interface Group {
  id: string;
  members: string[];
  lane: number;
}

/** Ids that look like keys, patterns or code. They are legal and must not affect anything else. */
const STRANGE = [
  '{1}',
  '*',
  'r:{3}:seq:2:g0',
  '2:g0',
  '__proto__',
  'constructor',
  '群 一',
  'a\\b"c',
  'toString',
  '%00',
];

const USERS = 300;
const GROUP_MEMBERS = 12;
/** Users whom only broadcasts name: the longest list has almost all of them. */
const MANY = 4801;
const REGISTERED = 100;
/** Broadcasts of one sender run at the same time. */
const BROADCASTING_UIDS = 2;

export function createWorld(senderCount: number, broadcasterCount: number): World {
  const senders = Array.from({ length: senderCount }, (_, i) => `sender${i}`);
  const users = [...STRANGE, ...Array.from({ length: USERS }, (_, i) => `u${i}`)];
  const names = [...Array.from({ length: 2 * LANES }, (_, i) => `g${i}`), ...groupPerLane(), ...STRANGE];
  const groups = names.map((id, i) => ({
    id,
    lane: laneOf(shardNumber(channelName(GROUP, id), SHARDS), LANES),
    members: [...senders, ...Array.from({ length: GROUP_MEMBERS }, (_, j) => users[(i * 7 + j) % users.length] ?? '')],
  }));
  return {
    senders,
    users,
    readers: users.slice(-4),
    groups,
    broadcasters: Array.from({ length: broadcasterCount }, (_, i) => `caster${i % BROADCASTING_UIDS}`),
    recipients: [...users, ...Array.from({ length: MANY }, (_, i) => `m${i}`)],
    registered: users.slice(0, REGISTERED),
  };
}

/** One group per lane: their logs show which lanes make progress. */
function groupPerLane(): string[] {
  return Array.from({ length: LANES }, (_, lane) => {
    for (let i = 0; ; i++) {
      const id = `lane${lane}-${i}`;
      if (laneOf(shardNumber(channelName(GROUP, id), SHARDS), LANES) === lane) return id;
    }
  });
}
