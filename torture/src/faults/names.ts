/** Every fault that the torture knows, in the order in which the help lists them. */
export const faultNames = ['kill-workers', 'kill-api', 'kill-indexer', 'kill-all'] as const;
export type FaultName = (typeof faultNames)[number];
export const isFaultName = (name: string): name is FaultName => faultNames.some((known) => known === name);
