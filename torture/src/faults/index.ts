import { clockBack } from './clockBack.ts';
import { cutClients, cutRedis } from './cuts.ts';
import type { Fault } from './fault.ts';
import { freezeAll, freezeWorker } from './freezes.ts';
import { hostileClients } from './hostileClients.ts';
import { hostileMembers } from './hostileMembers.ts';
import { killAll, killApi, killIndexer, killWorkers } from './kills.ts';
import type { FaultName } from './names.ts';
import { poison } from './poison.ts';
import { killRedis, losePower } from './redisDeaths.ts';
import { killConnections, refuseWrites, sleepRedis, stopRedis } from './redisTroubles.ts';
import { rollingRestart } from './rollingRestart.ts';
import { searchDamage } from './searchDamage.ts';
import { soak } from './soak.ts';

export const faults: Record<FaultName, Fault> = {
  soak,
  'kill-workers': killWorkers,
  'kill-api': killApi,
  'kill-indexer': killIndexer,
  'kill-all': killAll,
  'freeze-worker': freezeWorker,
  'freeze-all': freezeAll,
  'redis-kill': killRedis,
  'redis-power-loss': losePower,
  'redis-stop': stopRedis,
  'redis-sleep': sleepRedis,
  'redis-client-kill': killConnections,
  'redis-refuse': refuseWrites,
  'cut-clients': cutClients,
  'cut-redis': cutRedis,
  poison,
  'search-damage': searchDamage,
  'clock-back': clockBack,
  'rolling-restart': rollingRestart,
  'hostile-clients': hostileClients,
  'hostile-members': hostileMembers,
};
