import type { Fault } from './fault.ts';
import { killAll, killApi, killIndexer, killWorkers } from './kills.ts';
import type { FaultName } from './names.ts';

export const faults: Record<FaultName, Fault> = {
  'kill-workers': killWorkers,
  'kill-api': killApi,
  'kill-indexer': killIndexer,
  'kill-all': killAll,
};
