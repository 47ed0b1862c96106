export type { Redis } from 'ioredis';
export {
  Appender,
  chunkRecipients,
  chunkSize,
  type Recipient,
  type StoredMessage,
  type StoreLimits,
  shardsAtOnce,
} from './append.ts';
export { Bodies, type Broadcast, execute } from './bodies.ts';
export type { ChannelInfo } from './channels.ts';
export { corruptOf, DamagedError, isDamage } from './damage.ts';
export { decodeEntry, encodeEntry, firstIdOf, isExpired, isRef, refOf } from './entries.ts';
export { FencedError, type JobRun } from './fence.ts';
export { Gate } from './gate.ts';
export { groupBy } from './groupBy.ts';
export { type Claim, digestOf, type IdemRecord, idemHash, isSameRequest, shortDigest } from './idempotency.ts';
export { checkInstallation, InstallationError, redisMemory, reviewRedis } from './installation.ts';
export { keys, storedTopic } from './keys.ts';
export type { LogName, LogRange } from './logs.ts';
export { packPositions, unpackPositions } from './positions.ts';
export type { BatchReceipt, Refused } from './progress.ts';
export { type RebuildProgress, type RebuildRequest, Rebuilds } from './rebuilds.ts';
export { connect, countLosses, isTransient, isUnavailable } from './redis.ts';
export { eachLimited, together, untilServed } from './retry.ts';
export { countLogs, type LogPage, scanLogs, serverRun } from './scanLogs.ts';
export { runScript } from './scripts.ts';
export { laneOf, personalShard, shardOf } from './shards.ts';
export { createStore, type Store } from './store.ts';
export type { Trimmer } from './trim.ts';
export { parseUnixUrl, unixUrl } from './unixUrl.ts';
