/** All faults, in the order in which the help lists them. */
export const faultNames = [
  'soak',
  'kill-workers',
  'kill-api',
  'kill-indexer',
  'kill-all',
  'freeze-worker',
  'freeze-all',
  'redis-kill',
  'redis-power-loss',
  'redis-stop',
  'redis-sleep',
  'redis-client-kill',
  'redis-refuse',
  'cut-clients',
  'cut-redis',
  'poison',
  'search-damage',
  'clock-back',
  'rolling-restart',
  'hostile-clients',
  'hostile-members',
] as const;
/** Faults that a cluster cannot have, and why. */
export const notOnCluster: Partial<Record<FaultName, string>> = {
  'redis-power-loss': 'a replica takes the place of a node that loses its last moments',
};
export type FaultName = (typeof faultNames)[number];
export const isFaultName = (name: string): name is FaultName => faultNames.some((known) => known === name);
