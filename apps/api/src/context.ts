import type { Config } from '@ruyi/config';
import type { Backlog, Producer } from '@ruyi/queue';
import type { SearchEngine } from '@ruyi/search';
import type { Store } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import type { Admission } from './ingress/admission.ts';
import type { StoredWaiter } from './ingress/storedWaiter.ts';

/** What the handlers work with. */
export interface ApiContext {
  config: Config;
  store: Store;
  producer: Producer;
  backlog: Backlog;
  admission: Admission;
  waiter: StoredWaiter;
  search: SearchEngine;
  log: Logger;
}
