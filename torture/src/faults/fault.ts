import type { Random } from '@ruyi/testkit';
import type { Findings } from '../findings.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Http } from '../load/http.ts';
import type { Load } from '../load/load.ts';
import type { World } from '../load/world.ts';
import type { ProgressWatch } from '../progress.ts';
import type { System } from '../system/system.ts';

/** What a fault works with. */
export interface FaultContext {
  system: System;
  load: Load;
  ledger: Ledger;
  world: World;
  http: Http;
  findings: Findings;
  progress: ProgressWatch;
  random: Random;
  /** how long it must do harm */
  forMs: number;
  /** Counts what was done, for the report, such as `worker kills` or `connections cut`. */
  count(what: string, by?: number): void;
  /** Records how long all lanes took to store messages again after all workers were killed. */
  noteRecovery(ms: number): void;
}

/** Does harm for a while, and leaves everything running when it resolves. */
export type Fault = (context: FaultContext) => Promise<void>;
