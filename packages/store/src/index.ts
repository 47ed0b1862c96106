export {
  Appender,
  chunkRecipients,
  chunkSize,
  type Recipient,
  type StoredMessage,
  type StoreLimits,
  shardsAtOnce,
} from './append.ts';
export { Bodies, type Broadcast } from './bodies.ts';
export { corruptOf, isDamage } from './damage.ts';
export { decodeEntry, encodeEntry, firstIdOf, isExpired, isRef, refOf } from './entries.ts';
export { FencedError, type JobRun } from './fence.ts';
export { type Claim, digestOf, type IdemRecord, idemHash, isSameRequest, shortDigest } from './idempotency.ts';
export { checkInstallation, InstallationError } from './installation.ts';
export { keys, storedTopic } from './keys.ts';
export type { LogRange } from './logs.ts';
export { packPositions, unpackPositions } from './positions.ts';
export type { BatchReceipt, Refused } from './progress.ts';
export type { RebuildProgress } from './rebuilds.ts';
export type { LogPage } from './scanLogs.ts';
export { laneOf, personalShard, shardOf } from './shards.ts';
export { createStore, type Store } from './store.ts';
export { Trimmer } from './trim.ts';
