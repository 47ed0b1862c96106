export type { StoreLimits } from './append/appendContext.ts';
export type { Appender } from './append/appender.ts';
export { referencesTo, type StoredMessage } from './append/appendMessages.ts';
export { type FailedRecipient, shardsAtOnce } from './append/appendReferences.ts';
export { FencedError, type JobRun, OutdatedError } from './append/fence.ts';
export { Bodies, type Broadcast } from './broadcasts/bodies.ts';
export { batchByNo, broadcastByNo, runningBroadcasts } from './broadcasts/broadcastAnswers.ts';
export type {
  Audience,
  BroadcastRecord,
  BroadcastSpec,
  Claim as RecipientClaim,
} from './broadcasts/broadcastRecord.ts';
export type { BroadcastAction } from './broadcasts/broadcasts.ts';
export { type Cut, chunkRecipients, chunkSize, cutShard, type Recipient } from './broadcasts/chunks.ts';
export { packPositions, unpackPositions } from './broadcasts/positions.ts';
export type { BatchReceipt, FailedNote, Refused } from './broadcasts/progress.ts';
export type { PartRecord, Upload } from './broadcasts/recipientLists.ts';
export { corruptOf, damagedKey, isDamage } from './damage.ts';
export { decodeEntry, encodeEntry, firstIdOf, isExpired, isRef, refOf } from './entries.ts';
export { type Claim, digestOf, type IdemRecord, idemHash, isSameRequest, shortDigest } from './idempotency.ts';
export { checkInstallation, InstallationError, shardsOfInstallation } from './installation/checkInstallation.ts';
export type { IndexHolder } from './installation/indexOwner.ts';
export { LaneMembers, type LanesOfKind } from './installation/laneMembers.ts';
export { type LanePlan, LanePlans, type LaneSet, lanesToWork } from './installation/lanePlan.ts';
export { type Member, Members } from './installation/members.ts';
export { joinInstallation, type Membership, newMember, newName } from './installation/membership.ts';
export type { RebuildProgress } from './installation/rebuilds.ts';
export { requestRebuild } from './installation/requestRebuild.ts';
export { SCHEMA } from './installation/schema.ts';
export { VERSION } from './installation/version.ts';
export { keys, storedTopic } from './keys.ts';
export type { LogPage } from './logs/logScan.ts';
export type { LogName, LogRange } from './logs/logs.ts';
export { sampleLogs } from './logs/sampleLogs.ts';
export { MEMORY_KINDS } from './memory/kinds.ts';
export { type MemorySurvey, surveyMemory } from './memory/memorySurvey.ts';
export { type HandedOver, HandOvers } from './outbox/handOvers.ts';
export { Outboxes, type OutboxPage, type OutboxReading, toldPage } from './outbox/outboxes.ts';
export { chunkReference, markText, parseReference, type Reference } from './outbox/reference.ts';
export { laneOf, recipientShard, shardNumber, shardOf } from './shards.ts';
export { decimalShards, evenShards, type Shard, type Shards } from './shardTags.ts';
export { createStore, type Store } from './store.ts';
export { SWEPT_KINDS, type Swept } from './sweep/sweepContext.ts';
export type { SweepRound } from './sweep/sweeper.ts';
export { exportChannel } from './transfer/exportChannel.ts';
export { type ExportOptions, exportEverything } from './transfer/exportEverything.ts';
export { type Imported, importLines, LineError } from './transfer/importLines.ts';
export type { Line } from './transfer/lines.ts';
export { Trimmer } from './trimming/trimmer.ts';
