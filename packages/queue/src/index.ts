export { agreeOnLanes, servingCheck } from './agreeOnLanes.ts';
export { Backlog, waitingRecipients } from './backlog.ts';
export { beginLaneChange } from './changeLanes.ts';
export { addCoordinator, type Coordination, openCoordinators, wakeCoordinator } from './coordinators.ts';
export { DeadLetters, type LetterDetails, type LetterFilter, type LetterLine } from './deadLetters/deadLetters.ts';
export { openDeadLetters } from './deadLetters/deadWorker.ts';
export { codeOfReason } from './deadLetters/letterCodes.ts';
export type { LetterGroup } from './deadLetters/letterGroups.ts';
export { claimLetter, type Letter, lettersOfBatch, lettersOnTheirWay, triesOf } from './deadLetters/letterRecords.ts';
export { type Sample, summaryOf } from './deadLetters/letterSummary.ts';
export type { LetterKind } from './deadLetters/letterTargets.ts';
export { byProblem, problemsOf } from './deadLetters/problems.ts';
export {
  addDeadLetter,
  type NewLetter,
  retriedIn,
  settleRetried,
  withoutRetried,
} from './deadLetters/recordDeadLetters.ts';
export type { Retry } from './deadLetters/retryLetter.ts';
export { type Health, type HealthSources, readHealth } from './health/readHealth.ts';
export { readWork, type Work } from './health/readWork.ts';
export { sharedHealth } from './health/sharedHealth.ts';
export { problemsOfWork } from './health/workProblems.ts';
export { groupOf, IndexWaker, releaseWakeUps, shardsOfGroup, wakeIndexer } from './indexWaker.ts';
export { openIndexWorker } from './indexWorker.ts';
export { type InstallationStatus, installationStatus, type LaneStatus } from './installationStatus.ts';
export {
  BROADCAST,
  type BroadcastJob,
  COORDINATE,
  type CoordinateJob,
  DEAD,
  type DeadJob,
  GROUP_COMMAND,
  type GroupCommandJob,
  INDEX,
  type IndexJob,
  type JobKind,
  type Problem,
  type ProblemPlace,
  Retried,
  SEND,
  type SendJob,
  WAKE,
  type WakePage,
} from './jobs.ts';
export { joinLanes } from './joinLanes.ts';
export { laneOwners } from './laneOwners.ts';
export { type LaneHandler, LaneWorkers } from './laneWorkers.ts';
export {
  BROADCASTS_QUEUE,
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
export { type IndexReading, readIndex } from './readIndex.ts';
export type { Tracing } from './tracing.ts';
