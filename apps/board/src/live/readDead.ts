import type { DeadLetters } from '@ruyi/queue';
import type { DeadGroup, DeadView } from './liveState.ts';

type Group = Awaited<ReturnType<DeadLetters['groups']>>['groups'][number];

/** Reads what lies among the dead letters. It never fails. */
export async function readDead(dead: DeadLetters): Promise<DeadView> {
  try {
    const { groups, ...counts } = await dead.groups();
    return { ...counts, groups: groups.map(shown) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { total: 0, unread: 0, more: 0, problem: `The dead letters cannot be read: ${reason}` };
  }
}

function shown(group: Group): DeadGroup {
  const { kind, code, place, found, batch, broadcast, reason, ...rest } = group;
  const { title, fix, from, count, letters, retrying, tries, isRetryable, samples, ids } = rest;
  return {
    target: { kind, code, place, found, batch, broadcast, ...(batch === undefined ? { reason } : {}) },
    ...{ title, fix, from, count, letters, retrying, tries, isRetryable, samples, ids },
    firstAt: rest.firstAt / 1000,
    lastAt: rest.lastAt / 1000,
  };
}
