import type { Random } from '@ruyi/testkit';
import type { Sent } from '../ledger/ledger.ts';
import { inboxPlace, logPlace, payloadOf } from '../ledger/places.ts';
import { GROUP, type Group, type World } from './world.ts';

/** A request before it is sent: its content, and the places that must contain its message in the end. */
export interface Draft {
  path: '/message/send' | '/message/sendbatch';
  /** the body without payload and client_msg_no */
  body: Record<string, unknown>;
  entry: Omit<Sent, 'n' | 'answers' | 'unknown' | 'during' | 'sender' | 'keyed' | 'word'>;
  /** the single log of the message, whose seq `Prefer: wait` can answer */
  hasSeq: boolean;
}

export const WORDS = ['北京大学', '上海', 'Hello', '海棠花开', 'ｆｕｌｌ'] as const;

const command = { header: { sync_once: 1 } };

/** A message to a group's log. */
function groupMessage(group: Group): Draft {
  return {
    path: '/message/send',
    body: { channel_id: group.id, channel_type: GROUP },
    entry: { order: `to ${group.id}`, places: [logPlace(GROUP, group.id)], batchSize: 0, isCommand: false },
    hasSeq: true,
  };
}

function personalMessage(sender: string, peer: string): Draft {
  const place = logPlace(1, peer, sender);
  return {
    path: '/message/send',
    body: { channel_id: peer, channel_type: 1 },
    entry: { order: `to ${peer}`, places: [place], batchSize: 0, isCommand: false },
    hasSeq: true,
  };
}

function personalCommand(sender: string, peer: string): Draft {
  const places = [...new Set([sender, peer])].map(inboxPlace);
  return {
    path: '/message/send',
    body: { ...command, channel_id: peer, channel_type: 1 },
    entry: { order: `command to ${peer}`, places, batchSize: 0, isCommand: true },
    hasSeq: false,
  };
}

function groupCommand(group: Group): Draft {
  return {
    path: '/message/send',
    body: { ...command, channel_id: group.id, channel_type: GROUP },
    entry: {
      order: `command to group ${group.id}`,
      places: group.members.map(inboxPlace),
      batchSize: 0,
      isCommand: true,
    },
    hasSeq: false,
  };
}

/** To many users at once, by sendbatch or by the `subscribers` of send. */
function toMany(random: Random, sender: string, { users }: World): Draft {
  const isBatch = random.next() < 0.7;
  const isCommand = random.next() < 0.4;
  const size = random.next() < 0.1 ? users.length : random.whole(1, 40);
  const first = random.whole(0, users.length - 1);
  const subscribers = Array.from({ length: size }, (_, i) => users[(first + i * 7) % users.length] ?? '');
  const unique = [...new Set(subscribers)];
  const refused = isBatch && random.next() < 0.2 ? ['not@valid', ''] : [];
  return {
    path: isBatch ? '/message/sendbatch' : '/message/send',
    body: { ...(isCommand ? command : {}), subscribers: [...subscribers, ...refused] },
    entry: {
      order: 'many',
      places: unique.map((uid) => (isCommand ? inboxPlace(uid) : logPlace(1, uid, sender))),
      batchSize: isBatch ? unique.length : 0,
      isCommand,
    },
    hasSeq: false,
  };
}

const pick = <T>(random: Random, items: readonly T[]): T => {
  const [first, ...rest] = items;
  if (first === undefined) throw new Error('nothing to pick from');
  return random.pick([first, ...rest]);
};

/** The next request of a sender: mostly single messages, now and then a broadcast. */
export function draftFor(random: Random, sender: string, world: World): Draft {
  const at = random.next();
  if (at < 0.5) return groupMessage(pick(random, world.groups));
  if (at < 0.7) return personalMessage(sender, pick(random, [...world.users, ...world.senders]));
  if (at < 0.8) return personalCommand(sender, pick(random, world.users));
  if (at < 0.87) return groupCommand(pick(random, world.groups));
  return toMany(random, sender, world);
}

const LARGE = 20_000;

/** The body to send, with the request's number in the ledger. */
export function bodyOf(draft: Draft, sent: Sent, random: Random): Record<string, unknown> {
  const bytes = random.next() < 0.02 ? random.whole(1000, LARGE) : random.whole(0, 200);
  return {
    ...draft.body,
    from_uid: sent.sender,
    payload: payloadOf(sent.n, sent.word, bytes),
    ...(sent.keyed ? { client_msg_no: `no-${sent.n}` } : {}),
  };
}

export const someWord = (random: Random): string => pick(random, WORDS);
