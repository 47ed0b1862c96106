export type { RedisClient } from './client.ts';
export { connect, connectForReplicas, type ReplicaWait } from './connect.ts';
export { ConnectionEpochs } from './connectionEpochs.ts';
export { countConnectionLosses, onConnectionLost } from './connectionLosses.ts';
export type { RedisSettings } from './connectionOptions.ts';
export { execute } from './execute.ts';
export { isOutOfMemory, isTransient, isUnavailable } from './failures.ts';
export { infoField } from './infoField.ts';
export { reviewListpack } from './listpack.ts';
export { loadScript, type Script } from './loadScript.ts';
export { type Master, masterOf, mastersOf } from './nodes.ts';
export { type ProbeSettings, probeRedis } from './probe.ts';
export {
  aofProblem,
  evictionProblem,
  isNearlyFull,
  memoryProblems,
  type NodeInfo,
  type Problem,
  replicasProblem,
  type SettingsAllowed,
  servingProblems,
  settingsProblems,
  versionProblem,
} from './problems.ts';
export { shortReason } from './reasons.ts';
export { RedisClock } from './redisClock.ts';
export { RedisRefusal } from './refusal.ts';
export { confirmation, NO_REPLICAS, type Replicas, ReplicasLateError, waitForReplicas } from './replicas.ts';
export {
  type Finding,
  infoOfNodes,
  memoryOfNodes,
  redisMemory,
  scriptTimes,
  serverClock,
  serverRun,
} from './server.ts';
export { settingOfNodes } from './settingOf.ts';
export { SLOTS, slotOf } from './slots.ts';
export { unixUrl } from './unixUrl.ts';
export { untilServed } from './untilServed.ts';
export { reachRedis, type Starting, whileStarting } from './whileStarting.ts';
