import { gzipSync } from 'node:zlib';
import type { Random } from '@ruyi/testkit';
import type { BroadcastCounts } from '../ledger/sentBroadcast.ts';
import { GROUP, type World } from './world.ts';

/** A part of a list, and what its upload must answer. */
export interface PartDraft {
  part: number;
  lines: string[];
  bytes: Buffer;
  headers: Record<string, string>;
  answer: { accepted: number; duplicates: number; invalid_count: number };
}

/** A broadcast before it is created. */
export interface BroadcastDraft {
  /** the body of its creation without sender, payload and client_msg_no */
  fields: Record<string, unknown>;
  isCommand: boolean;
  /** in random order; none if it has an audience */
  parts: PartDraft[];
  /** everyone who is named, each once */
  recipients: string[];
  /** those of them whose logs are broken at first */
  broken: string[];
  expected: BroadcastCounts;
}

const MOST_PARTS = 6;
const MOST_PART = 99_999;
const LONGEST_SECONDS = 6;
const LATEST_START_SECONDS = 4;
const REPEATED_SHARE = 0.05;
const NEVER_VALID = ['a@b', '#', 'line\ttab', 'x'.repeat(200)];

/** The next broadcast: mostly a list of 10 to 5,000 in parts, now and then an audience. @param n its number in the ledger */
export function broadcastDraftFor(random: Random, n: number, world: World): BroadcastDraft {
  const isCommand = random.next() < 0.3;
  const header = isCommand ? { header: { sync_once: 1 } } : {};
  const startAt = random.next() < 0.15 ? Math.floor(Date.now() / 1000) + random.whole(1, LATEST_START_SECONDS) : 0;
  const { audience, recipients, broken } = listFor(random, n, world, isCommand);
  const rate = random.next() < 0.5 ? 0 : Math.ceil(recipients.length / random.whole(1, LONGEST_SECONDS));
  const parts = audience === undefined ? partsOf(random, recipients) : [];
  const sum = (of: (part: PartDraft) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    fields: { ...header, rate, start_at: startAt, ...(audience ? { audience } : {}) },
    isCommand,
    parts,
    recipients,
    broken,
    expected: {
      accepted: audience ? recipients.length : sum(({ answer }) => answer.accepted),
      invalid: sum(({ answer }) => answer.invalid_count),
      total: recipients.length,
    },
  };
}

interface List {
  audience?: object;
  recipients: string[];
  broken: string[];
}

function listFor(random: Random, n: number, world: World, isCommand: boolean): List {
  const at = random.next();
  if (at < 0.05) return { audience: { known_users: true }, recipients: world.registered, broken: [] };
  if (at < 0.15) {
    const group = world.groups[random.whole(0, world.groups.length - 1)];
    const audience = { channel_id: group?.id, channel_type: GROUP };
    return { audience, recipients: [...new Set(group?.members)], broken: [] };
  }
  const { recipients: all } = world;
  // Most lists are short; some have almost everybody.
  const size = Math.round(10 ** (1 + 2.7 * random.next() ** 3));
  const first = random.whole(0, all.length - 1);
  const named = Array.from({ length: size }, (_, i) => all[(first + i * 7) % all.length] ?? '');
  const isBroken = !isCommand && random.next() < 0.15;
  const broken = isBroken ? Array.from({ length: random.whole(1, 3) }, (_, i) => `broken${n}-${i}`) : [];
  return { recipients: [...new Set([...named, ...broken])], broken };
}

/** Cuts a list into parts with numbers of their own, in random order. Some recipients are named twice, some lines are invalid. */
function partsOf(random: Random, recipients: string[]): PartDraft[] {
  const count = random.whole(1, Math.min(MOST_PARTS, recipients.length));
  const size = Math.ceil(recipients.length / count);
  const numbers = new Set<number>();
  while (numbers.size < count) numbers.add(random.whole(0, MOST_PART));
  return [...numbers].map((part, i) => {
    const own = recipients.slice(i * size, (i + 1) * size);
    const repeats = Math.ceil(own.length * REPEATED_SHARE);
    const again = Array.from({ length: repeats }, () => recipients[random.whole(0, recipients.length - 1)] ?? '');
    const invalid = NEVER_VALID.slice(0, random.whole(0, NEVER_VALID.length));
    const named = [...own, ...again];
    const lines = shuffled(random, [...named.map((uid) => lineOf(random, uid)), ...invalid]);
    const distinct = new Set(named).size;
    const answer = { accepted: named.length, duplicates: named.length - distinct, invalid_count: invalid.length };
    return { part, lines, ...packed(random, lines), answer };
  });
}

/** The bytes of a part, sometimes compressed. */
export function packed(random: Random, lines: string[]): { bytes: Buffer; headers: Record<string, string> } {
  const text = Buffer.from(lines.join(random.next() < 0.2 ? '\r\n' : '\n'));
  return random.next() < 0.3
    ? { bytes: gzipSync(text), headers: { 'content-encoding': 'gzip' } }
    : { bytes: text, headers: {} };
}

const lineOf = (random: Random, uid: string): string =>
  random.next() < 0.1 || uid.startsWith('"') ? JSON.stringify(uid) : uid;

export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
