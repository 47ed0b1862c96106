export { backoffDelay, withBackoff } from './backoff.ts';
export { Batcher } from './batcher.ts';
export { eachLimited } from './eachLimited.ts';
export { atOnce, inputTaken, inSlices, inTurn, SLICE, type Sliced } from './eventLoop.ts';
export { every } from './every.ts';
export { Gate } from './gate.ts';
export { groupBy } from './groupBy.ts';
export { sharedAbort } from './sharedAbort.ts';
export { together } from './together.ts';
