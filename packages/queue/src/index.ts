export { agreeOnLanes, lanesOfInstallation, servingCheck } from './agreeOnLanes.ts';
export { Backlog, waitingRecipients } from './backlog.ts';
export { addCoordinator, type Coordination, openCoordinators } from './coordinators.ts';
export { addDeadLetter, openDeadLetters } from './deadLetters.ts';
export { openIndexWorker } from './indexWorker.ts';
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
export { type LaneHandler, LaneWorkers } from './laneWorkers.ts';
export {
  allQueues,
  DEAD_QUEUE,
  INDEX_QUEUE,
  LANE_KINDS,
  type LaneKind,
  laneQueue,
  queueKey,
  recipientsInJob,
} from './names.ts';
export { type BroadcastPlan, planBroadcast, planInSlices } from './planBroadcast.ts';
export { type Guard, Producer } from './producer.ts';
export { limitLanes, openQueue, openQueues, type Queues } from './queues.ts';
