import type { Producer, Queues } from '@ruyi/queue';
import type { Store } from '@ruyi/store';

/** What became of recipients, for the metrics. */
type RecipientResult = 'stored' | 'failed' | 'cancelled' | 'duplicate';

/** What coordinators of broadcasts need. */
export interface CoordinatorContext {
  store: Store;
  queues: Queues;
  producer: Producer;
  /** how long a broadcast that has ended is kept, and an open one after its last upload, in seconds */
  keepSeconds: number;
  /** whether Redis uses more than 80 % of its memory: nothing more is handed out then (invariant 10) */
  isMemoryFull(): boolean;
  counted(result: RecipientResult, recipients: number): void;
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void };
}
