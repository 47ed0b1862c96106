import { countConnectionLosses, type RedisClient } from '@ruyi/redis';
import { type LanePlan, LanePlans } from '@ruyi/store';
import type { Queue } from 'bullmq';
import { advanceLanes } from './changeLanes.ts';
import { BROADCASTS_QUEUE, DEAD_QUEUE, INDEX_QUEUE, laneQueue } from './names.ts';
import { openQueue, type Queues } from './queues.ts';
import { untraced } from './tracing.ts';

/**
 * @param known the plan of the installation, or the number of lanes of one whose lanes were never changed
 * @param tracing a broadcast of hours is no trace: coordinators and dead letters have none
 */
export function openQueues(connection: RedisClient, known: LanePlan | number, tracing = untraced): Queues {
  const lanes = new Map<string, Queue>();
  const index = openQueue(connection, INDEX_QUEUE, tracing);
  const broadcasts = openQueue(connection, BROADCASTS_QUEUE);
  const dead = openQueue(connection, DEAD_QUEUE);
  const plans = new LanePlans(connection);
  let plan = typeof known === 'number' ? { generation: 0, lanes: known } : known;
  const losses = countConnectionLosses(connection);
  let readAfter = 0;
  const readAndAdvance = async () => {
    const before = losses();
    plan = await advanceLanes(plans, queues, plan);
    readAfter = before;
    return plan;
  };
  let advancing: Promise<LanePlan> | undefined;
  const queues: Queues = {
    get plan() {
      return plan;
    },
    get lanes() {
      return plan.lanes;
    },
    present: () => (readAfter === losses() ? plan : queues.advance()),
    advance() {
      // Many requests may ask at once.
      advancing ??= readAndAdvance().finally(() => {
        advancing = undefined;
      });
      return advancing;
    },
    index,
    broadcasts,
    dead,
    redis: connection,
    tracing,
    lane(kind, lane, generation = plan.generation) {
      const queueName = laneQueue(kind, lane, generation);
      const queue = lanes.get(queueName.name) ?? openQueue(connection, queueName, tracing);
      lanes.set(queueName.name, queue);
      return queue;
    },
    async close() {
      await Promise.all([...lanes.values(), index, broadcasts, dead].map((queue) => queue.close()));
    },
  };
  return queues;
}
