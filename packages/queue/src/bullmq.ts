import { createRequire } from 'node:module';
import type * as BullMQ from 'bullmq';

/**
 * BullMQ, loaded as what it is, CommonJS. For an `import` Node reads its 180 files twice, the first time for the names that they
 * export: a tenth of what the start of a process costs.
 */
const bullmq: typeof BullMQ = createRequire(import.meta.url)('bullmq');

export const { DelayedError, Queue, UnrecoverableError, WaitingError, Worker } = bullmq;
export type { Job, JobsOptions } from 'bullmq';
export type Queue = BullMQ.Queue;
export type Worker = BullMQ.Worker;
