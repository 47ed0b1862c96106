export { agreeOnLanes, servingCheck } from './agreeOnLanes.ts';
export { Backlog, waitingRecipients } from './backlog.ts';
export { beginLaneChange } from './changeLanes.ts';
export { addCoordinator, type Coordination, openCoordinators, wakeCoordinator } from './coordinators.ts';
export { addDeadLetter, deadLettersOf, openDeadLetters } from './deadLetters.ts';
export { type Health, type HealthSources, readHealth } from './health/readHealth.ts';
export { sharedHealth } from './health/sharedHealth.ts';
export { openIndexWorker } from './indexWorker.ts';
export { type InstallationStatus, installationStatus, type LaneStatus } from './installationStatus.ts';
export {
  BROADCAST,
  type BroadcastJob,
  type CoordinateJob,
  DEAD,
  type DeadJob,
  GROUP_COMMAND,
  type GroupCommandJob,
  INDEX,
  type IndexJob,
  type JobKind,
  SEND,
  type SendJob,
} from './jobs.ts';
export { joinLanes } from './joinLanes.ts';
export { laneOwners } from './laneOwners.ts';
export { type LaneHandler, LaneWorkers } from './laneWorkers.ts';
export {
  DEAD_QUEUE,
  INDEX_QUEUE,
  LANE_KINDS,
  type LaneKind,
  laneQueue,
  queueKey,
  queuesOfPlan,
  recipientsInJob,
} from './names.ts';
export { openQueues } from './openQueues.ts';
export { type BroadcastPlan, planBroadcast, planInSlices } from './planBroadcast.ts';
export { type Guard, type LaneOfPlan, Producer } from './producer.ts';
export { limitLanes, openQueue, type Queues } from './queues.ts';
