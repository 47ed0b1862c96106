import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Member } from '../system/member.ts';
import type { Fault, FaultContext } from './fault.ts';

const EVERY_MS = 2000;
/** Shorter, and buffers and caches that are still filling look like growth. */
const LEAST_JUDGED_MS = 300_000;
const GROWTH = { factor: 1.25, bytes: 16 * 1024 * 1024 };
/** Jobs that happen to wait at the moment. */
const MORE_KEYS = 500;
const SCAN_COUNT = 1000;
const MIB = 1024 * 1024;

/** Keys of messages, users and channels, and those with a life of their own: they grow with what is stored. */
const STORED = /^r:\{b?\w+\}:(log|seq|in|inseq|cur|sub|groups|chan|user|users|idem|frozen|body|gone|progress)\b/;

/** No harm: steady load, under which processes and everything in Redis but the messages must not grow. */
export const soak: Fault = async (context) => {
  const { system, forMs } = context;
  const samples = new Map<Member, number[]>(system.members.map((member) => [member, []]));
  const from = performance.now();
  let keysEarly: number | undefined;
  while (performance.now() - from < forMs) {
    await pause(EVERY_MS);
    if (performance.now() - from < forMs / 5) continue;
    keysEarly ??= await otherKeys(system.redis.client);
    for (const [member, sizes] of samples) sizes.push(residentBytes(member.pid));
  }
  const keysLate = await otherKeys(system.redis.client);
  context.count('keys that hold no message, early', keysEarly ?? keysLate);
  context.count('keys that hold no message, late', keysLate);
  for (const [member, sizes] of samples) judge(context, member, sizes);
  if (forMs >= LEAST_JUDGED_MS && keysLate > (keysEarly ?? 0) + MORE_KEYS) {
    context.findings.add('growth', `keys that hold no message: ${keysEarly} early, ${keysLate} late`);
  }
};

function judge({ forMs, count, findings }: FaultContext, { name }: Member, sizes: number[]): void {
  const early = median(sizes.slice(0, Math.ceil(sizes.length / 4)));
  const late = median(sizes.slice(-Math.ceil(sizes.length / 4)));
  count(`MiB of ${name}, early`, Math.round(early / MIB));
  count(`MiB of ${name}, late`, Math.round(late / MIB));
  if (forMs >= LEAST_JUDGED_MS && late > early * GROWTH.factor + GROWTH.bytes) {
    findings.add('growth', `${name}: ${Math.round(early / MIB)} MiB early, ${Math.round(late / MIB)} MiB late`);
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

async function otherKeys(redis: Redis): Promise<number> {
  let others = 0;
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'COUNT', SCAN_COUNT);
    others += page.filter((key) => !STORED.test(key)).length;
    cursor = next;
  } while (cursor !== '0');
  return others;
}
