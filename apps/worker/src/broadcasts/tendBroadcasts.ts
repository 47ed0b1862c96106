import { addCoordinator, wakeCoordinator } from '@ruyi/queue';
import type { CoordinatorContext } from './coordinatorContext.ts';

const ENDS = ['done', 'cancelled', 'failed'];
/** Somebody looks after all broadcasts this often, whichever worker it is. */
const EVERY_MS = 5000;

/**
 * Looks after all broadcasts: asks for a coordinator where one may be missing, because whoever should have asked died, and
 * starts those whose time has come by Redis' clock;
 * removes open ones that nobody uploads to any more, and ended ones that are no longer kept.
 */
export async function tendBroadcasts({ store, queues, keepSeconds }: CoordinatorContext): Promise<void> {
  const { broadcasts, broadcastList } = store;
  if (!(await broadcastList.tend(EVERY_MS))) return;
  const now = await store.now();
  for (const [no, noted] of await broadcastList.states()) {
    if (ENDS.includes(noted)) continue;
    const record = await broadcasts.read(no);
    if (!record) await broadcastList.remove(no);
    else if (record.state === 'open') {
      // A creation that was cut before its end left a life of an hour.
      await broadcasts.persist(no);
      if (Math.max(record.createdAt, record.uploadedAt) + keepSeconds < now) await remove(store, no);
    } else {
      if (record.state !== noted && record.finishedAt === 0) await broadcastList.note(no, record.state, 0);
      const coordinator = { no, run: record.run };
      if (record.state !== 'paused') await addCoordinator(queues, coordinator);
      // Redis' time counts, not that of the process which waits.
      if (record.state !== 'scheduled' || record.spec.startAt <= now) await wakeCoordinator(queues, coordinator);
    }
  }
  for (const no of await broadcastList.finishedBefore(now - keepSeconds)) await remove(store, no);
}

async function remove({ broadcasts, broadcastList, recipientLists }: CoordinatorContext['store'], no: string) {
  await recipientLists.remove(no);
  await broadcasts.remove(no);
  await broadcastList.remove(no);
}
