import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { BROADCASTS_QUEUE, DEAD_QUEUE, INDEX_QUEUE, openQueue, queuesOfPlan } from '@ruyi/queue';
import type { RedisClient } from '@ruyi/redis';
import type { LanePlan } from '@ruyi/store';
import type { Job, Queue } from 'bullmq';
import { jobTitle, pageOf } from './jobTitle.ts';
import { shortened } from './shortened.ts';

const LONGEST_REASON = 1000;
const LINES_OF_STACK = 10;

/** The queues that Bull Board shows. One that is shown no more stays open for pages that are being read. */
export class ShownQueues {
  readonly #redis: RedisClient;
  readonly #queues = new Map<string, Queue>();
  #names = '';

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  isShown(plan: LanePlan): boolean {
    return this.#names === namesOf(plan);
  }

  adapters(plan: LanePlan): BullMQAdapter[] {
    this.#names = namesOf(plan);
    return queuesOfPlan(plan).map((queueName) => {
      const queue = this.#queues.get(queueName.name) ?? openQueue(this.#redis, queueName);
      this.#queues.set(queueName.name, queue);
      return new ShortJobs(queue, {
        readOnlyMode: true,
        // `send.0` is shown as 0 in the group `send`.
        delimiter: '.',
        externalJobUrl: pageOf,
        ...labelOf(queueName.name),
      });
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()));
  }
}

const namesOf = (plan: LanePlan) =>
  queuesOfPlan(plan)
    .map(({ name }) => name)
    .join();

/** A queue whose jobs say what they are about, and are short whatever they hold. */
class ShortJobs extends BullMQAdapter {
  constructor(...args: ConstructorParameters<typeof BullMQAdapter>) {
    super(...args);
    this.setFormatter('name', jobTitle);
    this.setFormatter('data', shortened);
    this.setFormatter('returnValue', shortened);
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await super.getJob(id);
    return job && withShortFailure(job);
  }

  override async getJobs(...args: Parameters<BullMQAdapter['getJobs']>): Promise<Job[]> {
    return (await super.getJobs(...args)).map(withShortFailure);
  }
}

/** Bull Board has formatters for everything but why a job failed. */
function withShortFailure(job: Job): Job {
  const whole = job.toJSON.bind(job);
  job.toJSON = () => {
    const { failedReason, stacktrace, ...rest } = whole();
    return {
      ...rest,
      failedReason: failedReason?.slice(0, LONGEST_REASON),
      stacktrace: shortStack(stacktrace),
    };
  };
  return job;
}

const shortStack = (stacktrace: string[] | null) =>
  (stacktrace ?? [])
    .slice(-1)
    .map((trace) => trace.split('\n').slice(0, LINES_OF_STACK).join('\n').slice(0, LONGEST_REASON));

function labelOf(name: string): { displayName: string; description: string } {
  switch (name) {
    case INDEX_QUEUE.name:
      return { displayName: 'Search index', description: 'stored messages on their way into search' };
    case BROADCASTS_QUEUE.name:
      return { displayName: 'Coordinators', description: 'one job for each broadcast that is being fed to the lanes' };
    case DEAD_QUEUE.name:
      return {
        displayName: 'Dead letters',
        description: 'what could not be processed; `ruyi dead list` says what to do',
      };
    default:
      return labelOfLane(name);
  }
}

const LANES: Record<string, { displayName: string; description: string }> = {
  send: { displayName: 'Messages', description: 'single messages and commands, one job at a time, in order' },
  fanout: { displayName: 'Broadcasts', description: 'recipients of broadcasts, batches and group commands, in order' },
};

function labelOfLane(name: string): { displayName: string; description: string } {
  const [kind = '', lane, generation] = name.split('.');
  const { displayName, description } = LANES[kind] ?? { displayName: kind, description: '' };
  const of = generation === undefined ? '' : ` (generation ${generation.slice(1)})`;
  return { displayName: `${displayName}, lane ${lane}${of}`, description };
}
