import type { Config } from '@ruyi/config';
import type { Readiness } from '@ruyi/process';
import type { Backlog, Health, Producer, Queues } from '@ruyi/queue';
import type { SearchReader } from '@ruyi/search';
import type { Store } from '@ruyi/store';
import type { Logger, ProcessMetrics, Tracing } from '@ruyi/telemetry';
import type { Admission } from './ingress/admission.ts';
import type { StoredWaiter } from './ingress/storedWaiter.ts';

/** Everything that handlers work with; one per process. */
export interface ApiContext {
  config: Config;
  readiness: Readiness;
  store: Store;
  queues: Queues;
  producer: Producer;
  backlog: Backlog;
  admission: Admission;
  waiter: StoredWaiter;
  search: SearchReader;
  /** reads what is wrong with the installation */
  health(): Promise<Health>;
  metrics: ProcessMetrics;
  /** undefined if it is off */
  tracing: Tracing | undefined;
  log: Logger;
}
